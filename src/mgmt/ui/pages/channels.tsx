import type { JSX } from "preact";
import { MessageRatesChart } from "../components/charts.tsx";
import { type Column, DataTable } from "../components/data-table.tsx";
import { Badge, Facts, Failure, PageHead, Section } from "../components/page.tsx";
import { path } from "../lib/api.ts";
import { count, rate } from "../lib/format.ts";
import { ChannelLink, ConnectionLink, UserLink, VhostLink } from "../lib/links.tsx";
import { useLive } from "../lib/live.ts";
import { minute, rangeQuery } from "../lib/ranges.ts";
import { href } from "../lib/router.ts";
import { at, flag, number, type Row, rowsOf, text } from "../lib/row.ts";
import { ConsumersTable } from "./consumers.tsx";

const stat = (id: string, title: string, field: string, isExtra = false): Column => ({
  id,
  title,
  sort: `message_stats.${field}_details.rate`,
  numeric: true,
  isExtra,
  cell: (row) => rate(number(row, `message_stats.${field}_details.rate`)),
});

const amount = (id: string, title: string, field: string, isExtra = false): Column => ({
  id,
  title,
  sort: field,
  numeric: true,
  isExtra,
  cell: (row) => count(number(row, field)),
});

const columns: readonly Column[] = [
  { id: "name", title: "Channel", sort: "name", cell: (row) => <ChannelLink name={text(row, "name")} /> },
  { id: "vhost", title: "Virtual host", sort: "vhost", cell: (row) => <VhostLink name={text(row, "vhost")} /> },
  { id: "user", title: "User", sort: "user", cell: (row) => <UserLink name={text(row, "user")} /> },
  { id: "mode", title: "Mode", cell: (row) => <Mode row={row} /> },
  { id: "state", title: "State", sort: "state", cell: (row) => <Badge>{text(row, "state")}</Badge> },
  amount("consumers", "Consumers", "consumer_count"),
  { id: "prefetch", title: "Prefetch", sort: "prefetch_count", numeric: true, cell: (row) => prefetchOf(row) },
  amount("unacked", "Unacked", "messages_unacknowledged"),
  amount("unconfirmed", "Unconfirmed", "messages_unconfirmed"),
  amount("uncommitted", "Uncommitted", "messages_uncommitted", true),
  stat("publish", "Publish", "publish"),
  stat("confirm", "Confirm", "confirm", true),
  stat("deliver", "Deliver/get", "deliver_get"),
  stat("ack", "Ack", "ack"),
  stat("redeliver", "Redelivered", "redeliver", true),
  stat("dropped", "Unroutable", "drop_unroutable", true),
];

function Mode({ row }: { row: unknown }): JSX.Element | null {
  if (flag(row, "confirm")) return <Badge title="The publisher waits for confirms">confirm</Badge>;
  return flag(row, "transactional") ? <Badge>transactional</Badge> : null;
}

function prefetchOf(row: Row): string {
  const [each, all] = [number(row, "prefetch_count"), number(row, "global_prefetch_count")];
  return all > 0 ? `${each} (${all} in all)` : String(each);
}

/** All channels that the user may see. */
export function ChannelsPage(): JSX.Element {
  return (
    <>
      <PageHead title="Channels" />
      <DataTable
        name="channels"
        what="channels"
        path="/channels"
        columns={columns}
        empty="No client has opened a channel."
      />
    </>
  );
}

/** One channel and its consumers. */
export function ChannelPage({ name }: { readonly name: string }): JSX.Element {
  const { data, error } = useLive(`${path`/channels/${name}`}?${rangeQuery(minute, "msg_rates")}`);
  if (error !== undefined) return <Failure error={error} of={`channel ${name}`} />;
  const consumers = rowsOf(at(data, "consumer_details"));
  return (
    <>
      <PageHead title={name} above={<a href={href("channels")}>Channels</a>} tags={<Mode row={data} />}></PageHead>
      <div class="charts">
        <MessageRatesChart of={data} />
      </div>
      <Section title="Details">
        <Facts
          of={[
            ["Connection", <ConnectionLink key="connection" name={text(data, "connection_details.name")} />],
            ["User", <UserLink key="user" name={text(data, "user")} />],
            ["Virtual host", <VhostLink key="vhost" name={text(data, "vhost")} />],
            ["State", text(data, "state")],
            ["Prefetch of each consumer", text(data, "prefetch_count")],
            ["Prefetch of the channel", text(data, "global_prefetch_count")],
            ["Unacked", count(number(data, "messages_unacknowledged"))],
            ["Unconfirmed", count(number(data, "messages_unconfirmed"))],
            ["Uncommitted", count(number(data, "messages_uncommitted"))],
          ]}
        />
      </Section>
      <Section title="Consumers" count={consumers.length}>
        <ConsumersTable rows={consumers} />
      </Section>
    </>
  );
}
