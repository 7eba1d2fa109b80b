import type { JSX } from "preact";
import { useState } from "preact/hooks";
import { path, request } from "../lib/api.ts";
import { ExchangeLink, QueueLink, shownExchange } from "../lib/links.tsx";
import { live } from "../lib/live.ts";
import { at, isRow, type Row, text } from "../lib/row.ts";
import { type Argument, ArgumentsEditor, argumentsFrom } from "./arguments.tsx";
import { confirmed } from "./dialog.tsx";
import { Choice, Form, TextField } from "./form.tsx";
import { Value } from "./page.tsx";
import { PlainTable } from "./plain-table.tsx";
import { act, say } from "./toasts.tsx";

function kindOf(row: Row): "e" | "q" {
  return text(row, "destination_type") === "exchange" ? "e" : "q";
}

export function Source({ row }: { readonly row: Row }): JSX.Element {
  return <ExchangeLink vhost={text(row, "vhost")} name={text(row, "source")} />;
}

export function Destination({ row }: { readonly row: Row }): JSX.Element {
  const [vhost, name] = [text(row, "vhost"), text(row, "destination")];
  return kindOf(row) === "e" ? <ExchangeLink vhost={vhost} name={name} /> : <QueueLink vhost={vhost} name={name} />;
}

/** The button that takes a binding away. The default exchange's are none that one could. */
export function Unbind({ row }: { readonly row: Row }): JSX.Element | null {
  const [vhost, source, destination] = [text(row, "vhost"), text(row, "source"), text(row, "destination")];
  if (source === "") return null;
  const unbind = async (): Promise<void> => {
    const key = text(row, "routing_key");
    const body = (
      <p>
        Messages to <b>{source}</b>{" "}
        {key === "" ? (
          ""
        ) : (
          <>
            with routing key <code>{key}</code>{" "}
          </>
        )}
        will no longer reach <b>{destination}</b> by this binding. Messages that are there stay.
      </p>
    );
    if (!(await confirmed({ title: "Remove this binding?", body, action: "Unbind" }))) return;
    const properties = text(row, "properties_key");
    const between =
      kindOf(row) === "e"
        ? path`/bindings/${vhost}/e/${source}/e/${destination}/${properties}`
        : path`/bindings/${vhost}/e/${source}/q/${destination}/${properties}`;
    await act("Unbound.", () => request("DELETE", between));
  };
  return (
    <button type="button" class="small danger" onClick={() => void unbind()}>
      Unbind…
    </button>
  );
}

export function hasArguments(row: Row): boolean {
  const args = at(row, "arguments");
  return isRow(args) && Object.keys(args).length > 0;
}

/** Bindings of one queue or exchange. */
export function BindingsTable({
  rows,
  end,
}: {
  readonly rows: readonly Row[];
  readonly end: "source" | "destination";
}): JSX.Element {
  return (
    <PlainTable
      rows={rows}
      empty="No bindings."
      columns={[
        end === "source" ? ["From", (row) => <Source row={row} />] : ["To", (row) => <Destination row={row} />],
        ["Routing key", (row) => <code>{text(row, "routing_key")}</code>],
        ["Arguments", (row) => (hasArguments(row) ? <Value of={at(row, "arguments")} /> : null)],
        ["", (row) => <Unbind row={row} />],
      ]}
    />
  );
}

/** Binds a queue or exchange; what is known of the binding is not asked for. */
export function BindForm(props: {
  readonly vhost: string;
  readonly source?: string;
  readonly destination?: { readonly kind: "e" | "q"; readonly name: string };
  readonly onCancel?: () => void;
}): JSX.Element {
  const { vhost } = props;
  const [source, setSource] = useState(props.source ?? "");
  const [kind, setKind] = useState<string>(props.destination?.kind ?? "q");
  const [destination, setDestination] = useState(props.destination?.name ?? "");
  const [key, setKey] = useState("");
  const [args, setArgs] = useState<readonly Argument[]>([]);
  const bind = async (): Promise<void> => {
    const to =
      kind === "e"
        ? path`/bindings/${vhost}/e/${shownExchange(source)}/e/${destination}`
        : path`/bindings/${vhost}/e/${shownExchange(source)}/q/${destination}`;
    await request("POST", to, { routing_key: key, arguments: argumentsFrom(args) });
    say("done", `Bound ${destination} to ${source}.`);
    live.refresh();
  };
  return (
    <Form action="Bind" onSubmit={bind} onCancel={props.onCancel}>
      <div class="row">
        {props.source === undefined && <TextField label="From exchange" value={source} onChange={setSource} required />}
        {props.destination === undefined && (
          <>
            <Choice
              label="To"
              value={kind}
              onChange={setKind}
              options={[
                ["q", "queue"],
                ["e", "exchange"],
              ]}
            />
            <TextField
              label={kind === "q" ? "Queue" : "Exchange"}
              value={destination}
              onChange={setDestination}
              required
            />
          </>
        )}
        <TextField label="Routing key" value={key} onChange={setKey} />
      </div>
      <ArgumentsEditor
        label="Arguments"
        value={args}
        onChange={setArgs}
        known={[["x-match", "Match", "String", "all"]]}
      />
    </Form>
  );
}
