import type { JSX } from "preact";
import { useState } from "preact/hooks";
import { BindForm, Destination, hasArguments, Source, Unbind } from "../components/bindings.tsx";
import { type Column, DataTable } from "../components/data-table.tsx";
import { Dialog } from "../components/dialog.tsx";
import { PageHead } from "../components/page.tsx";
import { firstVhost, VhostField } from "../components/vhost-field.tsx";
import { VhostLink } from "../lib/links.tsx";
import { at, text } from "../lib/row.ts";

const columns: readonly Column[] = [
  { id: "vhost", title: "Virtual host", sort: "vhost", cell: (row) => <VhostLink name={text(row, "vhost")} /> },
  { id: "source", title: "From exchange", sort: "source", cell: (row) => <Source row={row} /> },
  { id: "type", title: "To", sort: "destination_type", cell: (row) => text(row, "destination_type") },
  { id: "destination", title: "Destination", sort: "destination", cell: (row) => <Destination row={row} /> },
  { id: "key", title: "Routing key", sort: "routing_key", cell: (row) => <code>{text(row, "routing_key")}</code> },
  {
    id: "arguments",
    title: "Arguments",
    cell: (row) => (hasArguments(row) ? <code>{JSON.stringify(at(row, "arguments"))}</code> : null),
  },
  { id: "unbind", title: "", cell: (row) => <Unbind row={row} /> },
];

/** Those of the default exchange, which every queue has, come last. */
const byExchange = { sort: "source", descending: true };

/** All bindings, of queues and of exchanges. */
export function BindingsPage(): JSX.Element {
  const [isAdding, setAdding] = useState(false);
  const [vhost, setVhost] = useState(firstVhost);
  return (
    <>
      <PageHead title="Bindings">
        <button type="button" class="primary" onClick={() => setAdding(true)}>
          Bind…
        </button>
      </PageHead>
      <DataTable
        name="bindings"
        what="bindings"
        path="/bindings"
        columns={columns}
        filtersBy="exchange, queue or key"
        empty="Nothing is bound."
        firstSort={byExchange}
      />
      {isAdding && (
        <Dialog title="Bind a queue or exchange" onClose={() => setAdding(false)} wide>
          <VhostField value={vhost} onChange={setVhost} />
          <BindForm key={vhost} vhost={vhost} onCancel={() => setAdding(false)} />
        </Dialog>
      )}
    </>
  );
}
