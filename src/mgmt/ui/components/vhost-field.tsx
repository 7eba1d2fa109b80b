import type { JSX } from "preact";
import { useLive } from "../lib/live.ts";
import { rowsOf, text } from "../lib/row.ts";
import { chosenVhost } from "../lib/vhost.ts";
import { Choice } from "./form.tsx";

/** The vhost that a form begins with. */
export function firstVhost(): string {
  return chosenVhost.value === "" ? "/" : chosenVhost.value;
}

export function VhostField({
  value,
  onChange,
}: {
  readonly value: string;
  readonly onChange: (value: string) => void;
}): JSX.Element {
  const names = rowsOf(useLive("/vhosts?columns=name").data).map((row) => text(row, "name"));
  return (
    <Choice
      label="Virtual host"
      value={value}
      onChange={onChange}
      options={names.includes(value) ? names : [value, ...names]}
    />
  );
}
