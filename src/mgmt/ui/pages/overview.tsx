import type { JSX } from "preact";
import { BrokerLatencyChart, DepthChart, MessageRatesChart, TrafficChart } from "../components/charts.tsx";
import { confirmed } from "../components/dialog.tsx";
import { Badge, Facts, Failure, PageHead, Section } from "../components/page.tsx";
import { PlainTable } from "../components/plain-table.tsx";
import { RangeChoice } from "../components/range-choice.tsx";
import { act } from "../components/toasts.tsx";
import { request } from "../lib/api.ts";
import { bytes, count, duration, rate } from "../lib/format.ts";
import { useLive } from "../lib/live.ts";
import { rangeQuery, useRange } from "../lib/ranges.ts";
import { href } from "../lib/router.ts";
import { at, flag, number, type Row, rowsOf, text, texts } from "../lib/row.ts";
import { may } from "../lib/session.ts";

/** What runs, how much there is, and how it does. */
export function OverviewPage(): JSX.Element {
  const [range] = useRange();
  const { data, error } = useLive(
    `/overview?${rangeQuery(range, "lengths", "msg_rates", "churn_rates", "data_rates", "latency")}`,
  );
  const { data: nodes } = useLive(may("monitor") ? "/nodes" : undefined);
  if (error !== undefined) return <Failure error={error} />;
  return (
    <>
      <PageHead title="Overview">
        <RangeChoice />
      </PageHead>
      <Totals overview={data} />
      <div class="charts">
        <DepthChart of={at(data, "queue_totals")} />
        <MessageRatesChart of={data} />
        <BrokerLatencyChart of={data} />
        {at(data, "recv_oct") !== undefined && <TrafficChart of={data} />}
      </div>
      {rowsOf(nodes).map((node) => (
        <Node key={text(node, "name")} node={node} />
      ))}
      <div class="columns">
        {may("monitor") && <Listeners overview={data} />}
        <Churn overview={data} />
      </div>
    </>
  );
}

function Totals({ overview }: { overview: unknown }): JSX.Element {
  const totals = at(overview, "queue_totals");
  const stats = at(overview, "message_stats");
  const deliveries = number(stats, "deliver_get_details.rate");
  return (
    <div class="tiles">
      <Tile title="Ready" value={count(number(totals, "messages_ready"))} />
      <Tile title="Unacked" value={count(number(totals, "messages_unacknowledged"))} />
      <Tile title="Published" value={rate(number(stats, "publish_details.rate"))} />
      <Tile title="Delivered" value={rate(deliveries)} />
      {(["connections", "channels", "consumers", "exchanges", "queues"] as const).map((name) => (
        <Tile key={name} title={name} value={count(number(overview, `object_totals.${name}`))} page={name} />
      ))}
    </div>
  );
}

function Tile({ title, value, page }: { title: string; value: string; page?: string }): JSX.Element {
  const content = (
    <>
      <span>{title}</span>
      <b>{value}</b>
    </>
  );
  return page === undefined ? (
    <div class="tile">{content}</div>
  ) : (
    <a class="tile" href={href(page)}>
      {content}
    </a>
  );
}

function Node({ node }: { node: Row }): JSX.Element {
  const resources = [
    { title: "Memory", used: number(node, "mem_used"), of: number(node, "mem_limit"), format: bytes },
    { title: "File descriptors", used: number(node, "fd_used"), of: number(node, "fd_total"), format: count },
  ];
  const [free, least] = [number(node, "disk_free"), number(node, "disk_free_limit")];
  return (
    <Section
      title={`Node ${text(node, "name")}`}
      actions={
        <Badge kind={flag(node, "running") ? "good" : "bad"}>{flag(node, "running") ? "running" : "down"}</Badge>
      }
    >
      <div class="meters">
        {resources.map(({ title, used, of, format }) => (
          <div key={title} class="meter">
            <span>
              {title} <b>{format(used)}</b> {of > 0 && <span class="dim">of {format(of)}</span>}
            </span>
            {of > 0 && <meter min={0} max={of} high={of * 0.8} value={used} aria-label={title} />}
          </div>
        ))}
        {free > 0 && (
          <div class="meter">
            <span>
              Disk free <b>{bytes(free)}</b> {least > 0 && <span class="dim">alarm below {bytes(least)}</span>}
            </span>
          </div>
        )}
        <div class="meter">
          <span>
            Uptime <b>{duration(number(node, "uptime"))}</b>
          </span>
        </div>
      </div>
      <Facts
        of={[
          ["Processors", text(node, "processors")],
          ["Process", text(node, "os_pid")],
          ["Data", dataPlace(text(node, "db_dir"))],
          ["Configuration", texts(node, "config_files").join(", ")],
          ["Log", texts(node, "log_files").join(", ")],
        ]}
      />
    </Section>
  );
}

function dataPlace(directory: string): string {
  return directory === "<memory>" ? "in memory: all of it ends with the broker" : directory;
}

function Listeners({ overview }: { overview: unknown }): JSX.Element {
  return (
    <Section title="Listeners">
      <PlainTable
        rows={rowsOf(at(overview, "listeners"))}
        empty="Nothing listens."
        columns={[
          ["Protocol", (row) => text(row, "protocol")],
          ["Address", (row) => text(row, "ip_address")],
          ["Port", (row) => text(row, "port"), "numeric"],
        ]}
      />
    </Section>
  );
}

const churn = [
  ["Connections opened", "connection_created"],
  ["Connections closed", "connection_closed"],
  ["Channels opened", "channel_created"],
  ["Channels closed", "channel_closed"],
  ["Queues declared", "queue_declared"],
  ["Queues created", "queue_created"],
  ["Queues deleted", "queue_deleted"],
] as const;

function Churn({ overview }: { overview: unknown }): JSX.Element {
  const rates = at(overview, "churn_rates");
  const reset = async (): Promise<void> => {
    const body = "The history that charts and rates are made of is forgotten. Messages and definitions stay.";
    if (!(await confirmed({ title: "Reset statistics?", body, action: "Forget the history" }))) return;
    await act("Statistics start anew.", () => request("DELETE", "/reset"));
  };
  const actions = may("administer") ? (
    <button type="button" onClick={() => void reset()}>
      Reset statistics
    </button>
  ) : undefined;
  return (
    <Section title="Comings and goings" actions={actions}>
      <PlainTable
        rows={churn.map(([title, name]) => ({
          title,
          total: number(rates, name),
          rate: number(rates, `${name}_details.rate`),
        }))}
        empty=""
        columns={[
          ["What", (row) => text(row, "title")],
          ["In all", (row) => count(number(row, "total")), "numeric"],
          ["Rate", (row) => rate(number(row, "rate")), "numeric"],
        ]}
      />
    </Section>
  );
}
