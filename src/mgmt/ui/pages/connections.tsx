import type { JSX } from "preact";
import { TrafficChart } from "../components/charts.tsx";
import { type Column, DataTable } from "../components/data-table.tsx";
import { confirmed } from "../components/dialog.tsx";
import { Badge, Facts, Failure, PageHead, Section, Value } from "../components/page.tsx";
import { PlainTable } from "../components/plain-table.tsx";
import { act } from "../components/toasts.tsx";
import { path, request } from "../lib/api.ts";
import { byteRate, bytes, count, moment, plural } from "../lib/format.ts";
import { ChannelLink, ConnectionLink, UserLink, VhostLink } from "../lib/links.tsx";
import { useLive } from "../lib/live.ts";
import { minute, rangeQuery } from "../lib/ranges.ts";
import { goTo, href } from "../lib/router.ts";
import { at, flag, number, type Row, rowsOf, text } from "../lib/row.ts";

const columns: readonly Column[] = [
  { id: "name", title: "Name", sort: "name", cell: (row) => <Name row={row} /> },
  { id: "vhost", title: "Virtual host", sort: "vhost", cell: (row) => <VhostLink name={text(row, "vhost")} /> },
  { id: "user", title: "User", sort: "user", cell: (row) => <UserLink name={text(row, "user")} /> },
  { id: "state", title: "State", sort: "state", cell: (row) => <State of={text(row, "state")} /> },
  { id: "channels", title: "Channels", sort: "channels", numeric: true, cell: (row) => count(number(row, "channels")) },
  {
    id: "from",
    title: "From client",
    sort: "recv_oct_details.rate",
    numeric: true,
    cell: (row) => byteRate(number(row, "recv_oct_details.rate")),
  },
  {
    id: "to",
    title: "To client",
    sort: "send_oct_details.rate",
    numeric: true,
    cell: (row) => byteRate(number(row, "send_oct_details.rate")),
  },
  { id: "client", title: "Client", isExtra: true, cell: (row) => clientOf(row) },
  { id: "protocol", title: "Protocol", sort: "protocol", isExtra: true, cell: (row) => text(row, "protocol") },
  {
    id: "heartbeat",
    title: "Heartbeat",
    sort: "timeout",
    isExtra: true,
    numeric: true,
    cell: (row) => `${text(row, "timeout")} s`,
  },
  {
    id: "frame",
    title: "Frame max",
    sort: "frame_max",
    isExtra: true,
    numeric: true,
    cell: (row) => bytes(number(row, "frame_max")),
  },
  { id: "mechanism", title: "SASL", sort: "auth_mechanism", isExtra: true, cell: (row) => text(row, "auth_mechanism") },
  {
    id: "connected",
    title: "Connected",
    sort: "connected_at",
    isExtra: true,
    cell: (row) => moment(number(row, "connected_at")),
  },
];

/** What the client calls itself comes first: it says more than an address, and there may be no room for both. */
function Name({ row }: { row: Row }): JSX.Element {
  const given = text(row, "user_provided_name");
  return (
    <>
      {given !== "" && <b>{given}</b>} <ConnectionLink name={text(row, "name")} />
    </>
  );
}

function State({ of }: { of: string }): JSX.Element {
  return <Badge kind={of === "running" ? "good" : "warn"}>{of}</Badge>;
}

function clientOf(row: unknown): string {
  const properties = at(row, "client_properties");
  return [text(properties, "product"), text(properties, "version")].join(" ").trim();
}

async function closeConnections(names: readonly string[], what: JSX.Element): Promise<boolean> {
  const one = names.length === 1;
  const title = one ? "Close this connection?" : `Close ${names.length} connections?`;
  const isSure = await confirmed({ title, body: what, action: one ? "Close connection" : "Close connections" });
  if (!isSure) return false;
  return act(`Closed ${plural(names.length, "connection")}.`, async () => {
    for (const name of names) {
      await request("DELETE", path`/connections/${name}`, undefined, { "x-reason": "Closed via management page" });
    }
  });
}

const consequences =
  "Unacked messages go back to their queues; exclusive queues of the connection are deleted. Most clients connect again by themselves.";

/** All connections that the user may see. */
export function ConnectionsPage(): JSX.Element {
  return (
    <>
      <PageHead title="Connections" />
      <DataTable
        name="connections"
        what="connections"
        path="/connections"
        columns={columns}
        empty="No client is connected."
        keyOf={(row) => text(row, "name")}
        bulk={(rows, clear) => (
          <button
            type="button"
            class="danger"
            onClick={() =>
              void closeConnections(
                rows.map((row) => text(row, "name")),
                <p>{consequences}</p>,
              ).then((done) => done && clear())
            }
          >
            Close…
          </button>
        )}
      />
    </>
  );
}

/** One connection, its channels and what its client says of itself. */
export function ConnectionPage({ name }: { readonly name: string }): JSX.Element {
  const { data, error } = useLive(`${path`/connections/${name}`}?${rangeQuery(minute, "data_rates")}`);
  const { data: channels } = useLive(error === undefined ? path`/connections/${name}/channels` : undefined);
  if (error !== undefined) return <Failure error={error} of={`connection ${name}`} />;
  const rows = rowsOf(channels);
  const unacked = rows.reduce((sum, row) => sum + number(row, "messages_unacknowledged"), 0);
  const close = async (): Promise<void> => {
    const what = (
      <p>
        {plural(rows.length, "channel")} with {plural(unacked, "unacked message")} will be closed. {consequences}
      </p>
    );
    if (await closeConnections([name], what)) goTo(href("connections"));
  };
  return (
    <>
      <PageHead
        title={name}
        above={<a href={href("connections")}>Connections</a>}
        tags={<State of={text(data, "state")} />}
      >
        <button type="button" class="danger" onClick={() => void close()}>
          Close…
        </button>
      </PageHead>
      <div class="charts">
        <TrafficChart of={data} />
      </div>
      <Section title="Details">
        <Facts
          of={[
            ["Name given by client", text(data, "user_provided_name")],
            ["User", <UserLink key="user" name={text(data, "user")} />],
            ["Virtual host", <VhostLink key="vhost" name={text(data, "vhost")} />],
            ["Protocol", text(data, "protocol")],
            ["TLS", flag(data, "ssl") ? text(data, "ssl_protocol") : "no"],
            ["SASL mechanism", text(data, "auth_mechanism")],
            ["Connected", moment(number(data, "connected_at"))],
            ["Heartbeat", `${text(data, "timeout")} s`],
            ["Largest frame", bytes(number(data, "frame_max"))],
            ["Channels at most", text(data, "channel_max")],
            ["Received", bytes(number(data, "recv_oct"))],
            ["Sent", bytes(number(data, "send_oct"))],
            ["Waiting to be sent", bytes(number(data, "send_pend"))],
          ]}
        />
      </Section>
      <Section title="Channels" count={rows.length}>
        <PlainTable
          rows={rows}
          empty="The connection has no channel."
          columns={[
            ["Channel", (row) => <ChannelLink name={text(row, "name")} />],
            ["Mode", (row) => modeOf(row)],
            ["Consumers", (row) => text(row, "consumer_count"), "numeric"],
            ["Prefetch", (row) => text(row, "prefetch_count"), "numeric"],
            ["Unacked", (row) => count(number(row, "messages_unacknowledged")), "numeric"],
            ["Unconfirmed", (row) => count(number(row, "messages_unconfirmed")), "numeric"],
          ]}
        />
      </Section>
      <Section title="Client properties">
        <Value of={at(data, "client_properties") ?? {}} />
      </Section>
    </>
  );
}

function modeOf(row: unknown): string {
  return flag(row, "confirm") ? "confirm" : flag(row, "transactional") ? "transactional" : "";
}
