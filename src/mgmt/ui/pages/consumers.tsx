import type { JSX } from "preact";
import { type Column, DataTable } from "../components/data-table.tsx";
import { Badge, PageHead, Value } from "../components/page.tsx";
import { PlainTable } from "../components/plain-table.tsx";
import { ChannelLink, QueueLink } from "../lib/links.tsx";
import { at, flag, type Row, text } from "../lib/row.ts";

function Queue({ row }: { row: Row }): JSX.Element {
  return <QueueLink vhost={text(row, "queue.vhost")} name={text(row, "queue.name")} />;
}

function Activity({ row }: { row: Row }): JSX.Element {
  const status = text(row, "activity_status");
  return <Badge kind={flag(row, "active") ? "good" : "warn"}>{status.replace("_", " ")}</Badge>;
}

const columns: readonly Column[] = [
  { id: "tag", title: "Consumer tag", sort: "consumer_tag", cell: (row) => <code>{text(row, "consumer_tag")}</code> },
  { id: "queue", title: "Queue", sort: "queue.name", cell: (row) => <Queue row={row} /> },
  { id: "vhost", title: "Virtual host", sort: "queue.vhost", cell: (row) => text(row, "queue.vhost") },
  {
    id: "channel",
    title: "Channel",
    sort: "channel_details.name",
    cell: (row) => <ChannelLink name={text(row, "channel_details.name")} />,
  },
  { id: "user", title: "User", sort: "channel_details.user", cell: (row) => text(row, "channel_details.user") },
  { id: "activity", title: "Activity", sort: "activity_status", cell: (row) => <Activity row={row} /> },
  { id: "ack", title: "Acks", sort: "ack_required", cell: (row) => (flag(row, "ack_required") ? "manual" : "auto") },
  {
    id: "prefetch",
    title: "Prefetch",
    sort: "prefetch_count",
    numeric: true,
    cell: (row) => text(row, "prefetch_count"),
  },
  {
    id: "exclusive",
    title: "Exclusive",
    sort: "exclusive",
    isExtra: true,
    cell: (row) => (flag(row, "exclusive") ? "yes" : "no"),
  },
];

/** All consumers that the user may see. */
export function ConsumersPage(): JSX.Element {
  return (
    <>
      <PageHead title="Consumers" />
      <DataTable
        name="consumers"
        what="consumers"
        path="/consumers"
        columns={columns}
        filters={false}
        empty="Nobody consumes. Messages wait in their queues until somebody does."
      />
    </>
  );
}

/** The consumers of one queue or channel. */
export function ConsumersTable({ rows }: { readonly rows: readonly Row[] }): JSX.Element {
  return (
    <PlainTable
      rows={rows}
      empty="No consumers."
      columns={[
        ["Consumer tag", (row) => <code>{text(row, "consumer_tag")}</code>],
        ["Queue", (row) => <Queue row={row} />],
        ["Channel", (row) => <ChannelLink name={text(row, "channel_details.name")} />],
        ["Activity", (row) => <Activity row={row} />],
        ["Acks", (row) => (flag(row, "ack_required") ? "manual" : "auto")],
        ["Prefetch", (row) => text(row, "prefetch_count"), "numeric"],
        ["Arguments", (row) => <Value of={at(row, "arguments") ?? {}} />],
      ]}
    />
  );
}
