import { BrokerError } from "../errors.ts";
import { type FieldTable, type FieldValue, sameValue } from "../field-table.ts";
import { erlangTerm } from "./erlang-term.ts";

const modes = {
  all: { every: true, withX: false },
  any: { every: false, withX: false },
  "all-with-x": { every: true, withX: true },
  "any-with-x": { every: false, withX: true },
} as const;

type Mode = (typeof modes)[keyof typeof modes];

/** What a headers binding asks of a message, read from the binding's arguments. */
export interface HeadersRule {
  /** True when all fields must match, false when one is enough. */
  readonly every: boolean;
  readonly fields: readonly (readonly [name: string, value: FieldValue])[];
}

/** Reads a binding's arguments: `x-match` says how, the rest what to match. Throws PRECONDITION_FAILED. */
export function headersRule(args: FieldTable): HeadersRule {
  const { every, withX } = modeOf(args.get("x-match"));
  const fields = [...args].filter(([name]) => name !== "x-match" && (withX || !name.startsWith("x-")));
  return { every, fields };
}

/** True when a message with these headers goes the rule's way. No fields: `all` is true of any message, `any` of none. */
export function matchesHeaders({ every, fields }: HeadersRule, headers: FieldTable): boolean {
  for (const [name, value] of fields) {
    if (matchesField(value, headers.get(name)) !== every) return !every;
  }
  return every;
}

/** A field without a value asks only that the header is there. */
function matchesField(wanted: FieldValue, header: FieldValue | undefined): boolean {
  if (header === undefined) return false;
  return wanted.type === "void" || sameValue(wanted, header);
}

function modeOf(argument: FieldValue | undefined): Mode {
  if (argument === undefined) return modes.all;
  if (argument.type !== "longstr") {
    const given = `${argument.type} (value ${erlangTerm(argument)})`;
    throw new BrokerError("PRECONDITION_FAILED", `Invalid x-match field type ${given}; expected longstr`);
  }
  const name = String(argument.value);
  if (isMode(name)) return modes[name];
  const expected = "expected all, any, all-with-x, or any-with-x";
  throw new BrokerError("PRECONDITION_FAILED", `Invalid x-match field value ${erlangTerm(argument)}; ${expected}`);
}

function isMode(name: string): name is keyof typeof modes {
  return Object.hasOwn(modes, name);
}
