import type { JSX } from "preact";
import { byteRate, byteSteps, compact, countSteps, duration, durationSteps, rate, rateSteps } from "../lib/format.ts";
import { levelsOf, ratesOf } from "../lib/ranges.ts";
import { at, number, rowsOf } from "../lib/row.ts";
import { Chart, type Series } from "./chart.tsx";
import { Empty } from "./page.tsx";

type Line = readonly [label: string, path: string, colour: number];

const depthLines: readonly Line[] = [
  ["Ready", "messages_ready", 1],
  ["Unacked", "messages_unacknowledged", 2],
  ["Total", "messages", 3],
];

const rateLines: readonly Line[] = [
  ["Publish", "publish", 1],
  ["Confirm", "confirm", 2],
  ["Deliver", "deliver", 3],
  ["Deliver, auto ack", "deliver_no_ack", 4],
  ["Ack", "ack", 5],
  ["Redeliver", "redeliver", 6],
  ["Get", "get", 7],
  ["Unroutable", "drop_unroutable", 8],
];

/** Ready and unacked messages over time. */
export function DepthChart({ of }: { readonly of: unknown }): JSX.Element {
  const lines = depthLines.map(([label, path, colour]) => ({
    label,
    colour,
    ...levelsOf(of, path),
    now: number(of, path),
  }));
  return <Lines title="Queued messages" lines={lines} format={compact} steps={countSteps} />;
}

/** What happens to messages, by the second. */
export function MessageRatesChart({ of }: { readonly of: unknown }): JSX.Element {
  const stats = at(of, "message_stats");
  const used = rateLines.filter(([, path], index) => index === 0 || number(stats, path) > 0);
  const lines = used.map(([label, path, colour]) => ({
    label,
    colour,
    ...ratesOf(stats, path),
    now: number(stats, `${path}_details.rate`),
  }));
  return <Lines title="Message rates" lines={lines} format={rate} steps={rateSteps} />;
}

/** Bytes from and to clients, by the second. */
export function TrafficChart({ of }: { readonly of: unknown }): JSX.Element {
  const lines = (
    [
      ["From client", "recv_oct", 1],
      ["To client", "send_oct", 3],
    ] as const
  ).map(([label, path, colour]) => ({ label, colour, ...ratesOf(of, path), now: number(of, `${path}_details.rate`) }));
  return <Lines title="Data rates" lines={lines} format={byteRate} steps={byteSteps} />;
}

/**
 * How long a message stays, from how many there are and how many leave by the second (Little's law): it costs messages nothing
 * to be measured so.
 */
export function LatencyChart({ of }: { readonly of: unknown }): JSX.Element {
  const depth = levelsOf(of, "messages");
  const leaving = ["ack", "deliver_no_ack", "get_no_ack"].map((path) => ratesOf(at(of, "message_stats"), path).values);
  const values = depth.values.slice(1).map((messages, index) => {
    const perSecond = leaving.reduce((sum, rates) => sum + (rates[index] ?? 0), 0);
    // Where messages wait and none leaves, nobody can tell how long they will.
    return perSecond > 0 ? (messages / perSecond) * 1000 : messages > 0 ? null : 0;
  });
  const lines = [{ label: "In the queue, on average", colour: 5, times: depth.times.slice(1), values }];
  return <Lines title="Latency" lines={lines} format={duration} steps={durationSteps} />;
}

const latencyLines: readonly (readonly [label: string, of: string, part: string, colour: number])[] = [
  ["Delivered, half", "delivered", "p50", 3],
  ["Delivered, 99 %", "delivered", "p99", 1],
  ["Acked, half", "acked", "p50", 5],
  ["Acked, 99 %", "acked", "p99", 2],
];

/** Within what time messages of the whole broker are delivered and acked, as measured of some; on average for who may not know. */
export function BrokerLatencyChart({ of }: { readonly of: unknown }): JSX.Element {
  const measured = at(of, "message_latency");
  if (measured === undefined) {
    return <LatencyChart of={{ ...Object(at(of, "queue_totals")), message_stats: at(of, "message_stats") }} />;
  }
  const lines = latencyLines.map(([label, of, part, colour]) => {
    const points = rowsOf(at(measured, of)).toReversed();
    const times = points.map((point) => number(point, "timestamp") / 1000);
    const values = points.map((point) => (typeof point[part] === "number" ? number(point, part) * 1000 : null));
    return { label, colour, times, values };
  });
  const used = lines.filter(({ values }, index) => index === 0 || values.some((value) => value !== null));
  return <Lines title="Latency" lines={used} format={duration} steps={durationSteps} />;
}

interface Plotted extends Series {
  readonly times: readonly number[];
}

function Lines(props: {
  title: string;
  lines: readonly Plotted[];
  format: (value: number) => string;
  steps?: readonly number[];
}): JSX.Element {
  const { title, lines, format, steps } = props;
  const times = lines
    .map((line) => line.times)
    .reduce((longest, one) => (one.length > longest.length ? one : longest), []);
  if (times.length < 2) {
    return (
      <figure class="chart">
        <figcaption>{title}</figcaption>
        <Empty>Nothing measured yet.</Empty>
      </figure>
    );
  }
  // What had no samples at first was nothing then.
  const padded = lines.map((line) => ({
    ...line,
    values: [...Array.from({ length: Math.max(0, times.length - line.values.length) }, () => 0), ...line.values],
  }));
  return <Chart title={title} times={times} series={padded} format={format} steps={steps} />;
}
