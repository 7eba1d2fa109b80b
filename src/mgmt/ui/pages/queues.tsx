import type { JSX } from "preact";
import { useState } from "preact/hooks";
import { AddQueue } from "../components/add-queue.tsx";
import { type Column, DataTable } from "../components/data-table.tsx";
import { Features } from "../components/features.tsx";
import { Badge, PageHead } from "../components/page.tsx";
import { bytes, count, rate } from "../lib/format.ts";
import { QueueLink, VhostLink } from "../lib/links.tsx";
import { deleteQueues, purgeQueues } from "../lib/queue-acts.tsx";
import { number, text } from "../lib/row.ts";

const amount = (id: string, title: string, field: string, isExtra = false): Column => ({
  id,
  title,
  sort: field,
  numeric: true,
  isExtra,
  cell: (row) => count(number(row, field)),
});

const rateColumn = (id: string, title: string, field: string, isExtra = false): Column => ({
  id,
  title,
  sort: `message_stats.${field}_details.rate`,
  numeric: true,
  isExtra,
  cell: (row) => rate(number(row, `message_stats.${field}_details.rate`)),
});

const columns: readonly Column[] = [
  {
    id: "name",
    title: "Name",
    sort: "name",
    cell: (row) => <QueueLink vhost={text(row, "vhost")} name={text(row, "name")} />,
  },
  { id: "vhost", title: "Virtual host", sort: "vhost", cell: (row) => <VhostLink name={text(row, "vhost")} /> },
  { id: "type", title: "Type", sort: "type", isForRoom: true, cell: (row) => <Badge>{text(row, "type")}</Badge> },
  { id: "features", title: "Features", isForRoom: true, cell: (row) => <Features row={row} /> },
  { id: "state", title: "State", sort: "state", isExtra: true, cell: (row) => text(row, "state") },
  amount("ready", "Ready", "messages_ready"),
  amount("unacked", "Unacked", "messages_unacknowledged"),
  amount("total", "Total", "messages"),
  {
    id: "bytes",
    title: "Bytes",
    sort: "message_bytes",
    numeric: true,
    isExtra: true,
    cell: (row) => bytes(number(row, "message_bytes")),
  },
  amount("consumers", "Consumers", "consumers"),
  rateColumn("in", "In", "publish"),
  rateColumn("out", "Deliver/get", "deliver_get"),
  rateColumn("ack", "Ack", "ack"),
  rateColumn("redelivered", "Redelivered", "redeliver", true),
  { id: "policy", title: "Policy", sort: "policy", isExtra: true, cell: (row) => text(row, "policy") },
];

/** All queues; several can be ticked to be purged or deleted at once. */
export function QueuesPage(): JSX.Element {
  const [isAdding, setAdding] = useState(false);
  return (
    <>
      <PageHead title="Queues">
        <button type="button" class="primary" onClick={() => setAdding(true)}>
          Add queue…
        </button>
      </PageHead>
      <DataTable
        name="queues"
        what="queues"
        path="/queues"
        columns={columns}
        empty="There is no queue yet. Clients declare what they need; “Add queue” does it from here."
        keyOf={(row) => `${text(row, "vhost")} ${text(row, "name")}`}
        bulk={(rows, clear) => (
          <>
            <button type="button" class="danger" onClick={() => void purgeQueues(rows).then((done) => done && clear())}>
              Purge…
            </button>
            <button
              type="button"
              class="danger"
              onClick={() => void deleteQueues(rows).then((done) => done && clear())}
            >
              Delete…
            </button>
          </>
        )}
      />
      {isAdding && <AddQueue onClose={() => setAdding(false)} />}
    </>
  );
}
