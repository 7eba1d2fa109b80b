import type { Context } from "./context.ts";

/** Arguments by the term that shows them: `<needed>`, `[optional]`, `[many...]`; each with what it means. */
type ArgumentTerms = Readonly<Record<string, string>>;

type NameOf<Term> = Term extends `<${infer Name}...>` | `[${infer Name}...]`
  ? Name
  : Term extends `<${infer Name}>` | `[${infer Name}]`
    ? Name
    : never;

type ValueOf<Term> = Term extends `<${string}...>` | `[${string}...]`
  ? readonly string[]
  : Term extends `<${string}>`
    ? string
    : string | undefined;

/** What was given for the arguments, by their names. */
type Values<Terms> = { readonly [Term in keyof Terms as NameOf<Term>]: ValueOf<Term> };

/** An option of one command: how it is written, what it means, and what its text is read as. */
export interface CommandOption<T> {
  readonly flags: string;
  readonly summary: string;
  /** Values to choose from, if they are few: shells complete them. */
  readonly words?: readonly string[];
  /** Gets the text, true for an option without one, or undefined when it was not given. */
  readonly read: (given: string | true | undefined) => T;
}

type Options = Readonly<Record<string, CommandOption<unknown>>>;

type OptionValues<O extends Options> = { readonly [Name in keyof O]: ReturnType<O[Name]["read"]> };

/** An option that is there or not. */
export function flag(flags: string, summary: string): CommandOption<boolean> {
  return { flags, summary, read: (given) => given === true };
}

/** An option with a text. */
export function text(flags: string, summary: string, words: readonly string[] = []): CommandOption<string | undefined> {
  return { flags, summary, words, read: (given) => (typeof given === "string" ? given : undefined) };
}

/** The groups of commands, in the order in which the help shows them. */
export const groups = [
  "Users",
  "Access control",
  "Virtual hosts",
  "Queues and messages",
  "Listings",
  "Policies and parameters",
  "Definitions and backup",
  "Connections",
  "Status and health checks",
  "Node",
  "As rabbitmqadmin",
  "Help",
] as const;

export type Group = (typeof groups)[number];

interface Definition<Terms extends ArgumentTerms, O extends Options> {
  readonly name: string;
  readonly group: Group;
  readonly summary: string;
  readonly arguments?: Terms;
  readonly options?: O;
  /** More for the help: columns to choose from, examples. */
  readonly details?: string;
  /** Words to choose from as arguments: shells complete them. */
  readonly words?: readonly string[];
  /** How long it may take unless told otherwise; work whose length nobody knows says "unlimited". */
  readonly timeoutSeconds?: number | "unlimited";
  /** Known, and left out of the list of commands. */
  readonly isHidden?: boolean;
  readonly run: (context: Context, args: Values<Terms>, options: OptionValues<O>) => Promise<void> | void;
}

/** A command as brokerctl offers it, whatever its arguments and options. */
export interface CommandSpec {
  readonly name: string;
  readonly group: Group;
  readonly summary: string;
  readonly arguments: ArgumentTerms;
  readonly options: Options;
  readonly details: string;
  readonly words: readonly string[];
  readonly timeoutSeconds: number | "unlimited";
  readonly isHidden: boolean;
  run(context: Context, args: Readonly<Record<string, unknown>>, options: Readonly<Record<string, unknown>>): unknown;
}

const defaultTimeoutSeconds = 60;

/** Defines a command. Its arguments and options arrive with the types that their terms say. */
export function command<const Terms extends ArgumentTerms, const O extends Options = Record<never, never>>(
  definition: Definition<Terms, O>,
): CommandSpec {
  return {
    arguments: {},
    options: {},
    details: "",
    words: [],
    timeoutSeconds: defaultTimeoutSeconds,
    isHidden: false,
    ...definition,
    // The terms were parsed by the same definition, so each value is there with the type that it says.
    run: (context, args, given) => definition.run(context, args as Values<Terms>, given as OptionValues<O>),
  };
}
