import type { JSX } from "preact";
import { useState } from "preact/hooks";
import { type Argument, ArgumentsEditor, argumentsFrom } from "../components/arguments.tsx";
import { type Column, DataTable } from "../components/data-table.tsx";
import { Dialog } from "../components/dialog.tsx";
import { Features } from "../components/features.tsx";
import { Choice, Form, TextField, Tick } from "../components/form.tsx";
import { Badge, PageHead } from "../components/page.tsx";
import { say } from "../components/toasts.tsx";
import { firstVhost, VhostField } from "../components/vhost-field.tsx";
import { path, request } from "../lib/api.ts";
import { rate } from "../lib/format.ts";
import { ExchangeLink, VhostLink } from "../lib/links.tsx";
import { live, useLive } from "../lib/live.ts";
import { at, number, rowsOf, text } from "../lib/row.ts";

const rateColumn = (id: string, title: string): Column => ({
  id,
  title,
  sort: `message_stats.${id}_details.rate`,
  numeric: true,
  cell: (row) => rate(number(row, `message_stats.${id}_details.rate`)),
});

const columns: readonly Column[] = [
  {
    id: "name",
    title: "Name",
    sort: "name",
    cell: (row) => <ExchangeLink vhost={text(row, "vhost")} name={text(row, "name")} />,
  },
  { id: "vhost", title: "Virtual host", sort: "vhost", cell: (row) => <VhostLink name={text(row, "vhost")} /> },
  { id: "type", title: "Type", sort: "type", cell: (row) => <Badge>{text(row, "type")}</Badge> },
  { id: "features", title: "Features", cell: (row) => <Features row={row} /> },
  rateColumn("publish_in", "In"),
  rateColumn("publish_out", "Out"),
  { id: "policy", title: "Policy", sort: "policy", isExtra: true, cell: (row) => text(row, "policy") },
];

/** All exchanges. */
export function ExchangesPage(): JSX.Element {
  const [isAdding, setAdding] = useState(false);
  return (
    <>
      <PageHead title="Exchanges">
        <button type="button" class="primary" onClick={() => setAdding(true)}>
          Add exchange…
        </button>
      </PageHead>
      <DataTable name="exchanges" what="exchanges" path="/exchanges" columns={columns} empty="No exchanges here." />
      {isAdding && <AddExchange onClose={() => setAdding(false)} />}
    </>
  );
}

function AddExchange({ onClose }: { onClose: () => void }): JSX.Element {
  const types = rowsOf(at(useLive("/overview?columns=exchange_types").data, "exchange_types")).map((row) =>
    text(row, "name"),
  );
  const [vhost, setVhost] = useState(firstVhost);
  const [name, setName] = useState("");
  const [type, setType] = useState("direct");
  const [isDurable, setDurable] = useState(true);
  const [deletesItself, setDeletesItself] = useState(false);
  const [isInternal, setInternal] = useState(false);
  const [args, setArgs] = useState<readonly Argument[]>([]);
  const add = async (): Promise<void> => {
    const body = {
      type,
      durable: isDurable,
      auto_delete: deletesItself,
      internal: isInternal,
      arguments: argumentsFrom(args),
    };
    await request("PUT", path`/exchanges/${vhost}/${name}`, body);
    say("done", `Exchange ${name} is there.`);
    live.refresh();
    onClose();
  };
  return (
    <Dialog title="Add an exchange" onClose={onClose} wide>
      <Form action="Add exchange" onSubmit={add} onCancel={onClose}>
        <div class="row">
          <VhostField value={vhost} onChange={setVhost} />
          <TextField label="Name" value={name} onChange={setName} required />
          <Choice
            label="Type"
            value={type}
            onChange={setType}
            options={types.length > 0 ? types : ["direct", "fanout", "topic", "headers"]}
          />
        </div>
        <div class="row ticks">
          <Tick label="Durable" hint="outlives a restart" value={isDurable} onChange={setDurable} />
          <Tick
            label="Auto delete"
            hint="goes with its last binding"
            value={deletesItself}
            onChange={setDeletesItself}
          />
          <Tick label="Internal" hint="only other exchanges route to it" value={isInternal} onChange={setInternal} />
        </div>
        <ArgumentsEditor
          label="Arguments"
          value={args}
          onChange={setArgs}
          known={[
            ["alternate-exchange", "Alternate exchange", "String"],
            ["x-delayed-type", "Delayed type", "String", "direct"],
          ]}
        />
      </Form>
    </Dialog>
  );
}
