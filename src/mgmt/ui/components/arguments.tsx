import type { JSX } from "preact";
import { useId } from "preact/hooks";

const types = ["String", "Number", "Boolean", "JSON"] as const;
type Type = (typeof types)[number];

/** A name and a value that are being entered. */
export interface Argument {
  readonly name: string;
  readonly value: string;
  readonly type: Type;
}

/** An argument that is often wanted: its name in the protocol, what people call it, and its type. */
export type KnownArgument = readonly [name: string, title: string, type: Type, example?: string];

/** The arguments as the API takes them. Throws when a value is not of its type. */
export function argumentsFrom(rows: readonly Argument[]): Record<string, unknown> {
  return Object.fromEntries(rows.filter(({ name }) => name !== "").map((row) => [row.name, parsed(row)]));
}

function parsed({ name, value, type }: Argument): unknown {
  if (type === "String") return value;
  if (type === "Boolean") return value === "true";
  if (type === "Number") {
    const number = Number(value);
    if (value.trim() !== "" && Number.isFinite(number)) return number;
    throw new Error(`${name} should be a number, and is “${value}”.`);
  }
  try {
    return JSON.parse(value);
  } catch (error) {
    throw new Error(`${name} should be JSON, and is “${value}”.`, { cause: error });
  }
}

/** What is there already, to be edited. */
export function argumentsOf(values: Readonly<Record<string, unknown>>): readonly Argument[] {
  return Object.entries(values).map(([name, value]) => ({ name, ...entered(value) }));
}

function entered(value: unknown): { readonly value: string; readonly type: Type } {
  if (typeof value === "string") return { value, type: "String" };
  if (typeof value === "number") return { value: String(value), type: "Number" };
  if (typeof value === "boolean") return { value: String(value), type: "Boolean" };
  return { value: JSON.stringify(value), type: "JSON" };
}

/** Names and values, with buttons for those that are often wanted. */
export function ArgumentsEditor(props: {
  readonly label: string;
  readonly value: readonly Argument[];
  readonly onChange: (value: readonly Argument[]) => void;
  readonly known?: readonly KnownArgument[];
}): JSX.Element {
  const { label, value, onChange, known = [] } = props;
  const id = useId();
  const change = (index: number, changes: Partial<Argument>): void =>
    onChange(value.map((row, at) => (at === index ? { ...row, ...changes } : row)));
  const add = (name: string, type: Type, example = ""): void =>
    onChange([...value.filter((row) => row.name !== ""), { name, type, value: example }]);
  const left = known.filter(([name]) => !value.some((row) => row.name === name));
  return (
    <fieldset class="arguments">
      <legend>{label}</legend>
      {value.map((row, index) => (
        <div key={index} class="argument">
          <input
            aria-label={`${label}: name ${index + 1}`}
            placeholder="name"
            value={row.name}
            onInput={(event) => change(index, { name: event.currentTarget.value })}
          />
          <ValueInput
            id={`${id}-${index}`}
            label={`${label}: value ${index + 1}`}
            row={row}
            onChange={(next) => change(index, { value: next })}
          />
          <select
            aria-label={`${label}: type ${index + 1}`}
            value={row.type}
            onChange={(event) =>
              change(index, { type: types.find((type) => type === event.currentTarget.value) ?? "String" })
            }
          >
            {types.map((type) => (
              <option key={type}>{type}</option>
            ))}
          </select>
          <button
            type="button"
            class="plain"
            aria-label={`Remove ${row.name || "row"}`}
            onClick={() => onChange(value.filter((_, at) => at !== index))}
          >
            ×
          </button>
        </div>
      ))}
      <div class="chips">
        <button
          type="button"
          class="chip"
          onClick={() => onChange([...value, { name: "", value: "", type: "String" }])}
        >
          + Any
        </button>
        {left.map(([name, title, type, example]) => (
          <button key={name} type="button" class="chip" title={name} onClick={() => add(name, type, example)}>
            + {title}
          </button>
        ))}
      </div>
    </fieldset>
  );
}

function ValueInput(props: {
  readonly id: string;
  readonly label: string;
  readonly row: Argument;
  readonly onChange: (value: string) => void;
}): JSX.Element {
  const { id, label, row, onChange } = props;
  if (row.type === "Boolean") {
    return (
      <select
        id={id}
        aria-label={label}
        value={row.value || "false"}
        onChange={(event) => onChange(event.currentTarget.value)}
      >
        <option>true</option>
        <option>false</option>
      </select>
    );
  }
  return (
    <input
      id={id}
      aria-label={label}
      placeholder="value"
      value={row.value}
      inputMode={row.type === "Number" ? "numeric" : "text"}
      onInput={(event) => onChange(event.currentTarget.value)}
    />
  );
}
