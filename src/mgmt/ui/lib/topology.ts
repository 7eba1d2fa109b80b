import { Graph, layout } from "@dagrejs/dagre";
import { plural } from "./format.ts";
import { flag, number, type Row, text } from "./row.ts";

/** Something in the picture. */
export interface Node {
  readonly id: string;
  readonly kind: "exchange" | "queue" | "consumer";
  readonly name: string;
  /** Second line: type, or how much there is. */
  readonly note: string;
  readonly rate: number;
}

/** A way from one to the other. */
export interface Edge {
  readonly from: string;
  readonly to: string;
  readonly label: string;
  /** A way that only some messages take: dead letters, or what nothing else takes. */
  readonly isSideway?: boolean;
}

export interface Topology {
  readonly nodes: readonly Node[];
  readonly edges: readonly Edge[];
  /** Nodes that were left out. */
  readonly omitted: number;
}

interface Sources {
  readonly exchanges: readonly Row[];
  readonly queues: readonly Row[];
  readonly bindings: readonly Row[];
  readonly consumers: readonly Row[];
}

/** More could not be told apart. */
const nodesMax = 160;

/** The exchanges, queues and consumers of a vhost and how they hang together, as far as they have to do with `focus`. */
export function topologyOf(sources: Sources, focus: string): Topology {
  const edges = edgesOf(sources);
  const nodes = withEnds(nodesOf(sources, edges), edges);
  const wanted = focus === "" ? nodes : nodes.filter(({ id }) => nearTo(focus, nodes, edges).has(id));
  const shown = wanted.slice(0, nodesMax);
  const ids = new Set(shown.map(({ id }) => id));
  return {
    nodes: shown,
    edges: edges.filter(({ from, to }) => ids.has(from) && ids.has(to)),
    omitted: wanted.length - shown.length,
  };
}

/** First what hangs together, also what was not among the rows that were fetched; then what stands alone. */
function withEnds(nodes: readonly Node[], edges: readonly Edge[]): Node[] {
  const known = new Map(nodes.map((node) => [node.id, node]));
  const ends = new Set(edges.flatMap(({ from, to }) => [from, to]));
  const bound = [...ends].map((id) => known.get(id) ?? unknownNode(id));
  return [...bound, ...nodes.filter(({ id }) => !ends.has(id))];
}

function unknownNode(id: string): Node {
  const [kind = "", ...name] = id.split(" ");
  return { id, kind: kind === "queue" ? "queue" : "exchange", name: name.join(" "), note: "", rate: 0 };
}

function edgesOf({ bindings, consumers, exchanges, queues }: Sources): Edge[] {
  const keys = new Map<string, string[]>();
  for (const row of bindings.filter((one) => text(one, "source") !== "")) {
    const to = `${text(row, "destination_type")} ${text(row, "destination")}`;
    const way = `exchange ${text(row, "source")}\n${to}`;
    keys.set(way, [...(keys.get(way) ?? []), text(row, "routing_key")]);
  }
  const bound = [...keys].map(([way, all]) => {
    const [from = "", to = ""] = way.split("\n");
    return { from, to, label: all.length > 2 ? `${all.length} bindings` : all.filter((key) => key !== "").join(", ") };
  });
  const consuming = [...groupedConsumers(consumers)].map(([id, { queue }]) => ({
    from: `queue ${queue}`,
    to: id,
    label: "",
  }));
  const alternates = exchanges
    .filter((row) => text(row, "arguments.alternate-exchange") !== "")
    .map((row) => ({
      from: `exchange ${text(row, "name")}`,
      to: `exchange ${text(row, "arguments.alternate-exchange")}`,
      label: "alternate",
    }));
  return [...bound, ...alternates, ...queues.flatMap(deadLetterEdge), ...consuming];
}

/** Where a queue's dead letters go, by its arguments or a policy. */
function deadLetterEdge(row: Row): Edge[] {
  const rule = (name: string): string =>
    text(row, `arguments.x-${name}`) || text(row, `effective_policy_definition.${name}`);
  const [exchange, key] = [rule("dead-letter-exchange"), rule("dead-letter-routing-key")];
  const from = `queue ${text(row, "name")}`;
  if (exchange !== "") return [{ from, to: `exchange ${exchange}`, label: "dead letters", isSideway: true }];
  // The default exchange leads straight to a queue.
  return key === "" ? [] : [{ from, to: `queue ${key}`, label: "dead letters", isSideway: true }];
}

function nodesOf({ exchanges, queues, consumers }: Sources, edges: readonly Edge[]): Node[] {
  const used = new Set(edges.flatMap(({ from, to }) => [from, to]));
  const ofExchanges = exchanges
    .map((row) => ({
      id: `exchange ${text(row, "name")}`,
      kind: "exchange" as const,
      name: text(row, "name"),
      note: text(row, "type"),
      rate: number(row, "message_stats.publish_in_details.rate"),
    }))
    // The exchanges that every vhost has matter once something is bound to them.
    .filter(({ id, name }) => used.has(id) || (name !== "" && !name.startsWith("amq.")));
  const ofQueues = queues.map((row) => ({
    id: `queue ${text(row, "name")}`,
    kind: "queue" as const,
    name: text(row, "name"),
    note: plural(number(row, "messages"), "message"),
    rate: number(row, "message_stats.publish_details.rate"),
  }));
  const ofConsumers = [...groupedConsumers(consumers)].map(([id, { user, count, active }]) => ({
    id,
    kind: "consumer" as const,
    name: count === 1 ? "1 consumer" : `${count} consumers`,
    note: active === count ? user : `${user}, ${active} active`,
    rate: 0,
  }));
  return [...ofExchanges, ...ofQueues, ...ofConsumers];
}

/** Consumers of one queue by one user are one node. */
function groupedConsumers(
  rows: readonly Row[],
): Map<string, { queue: string; user: string; count: number; active: number }> {
  const groups = new Map<string, { queue: string; user: string; count: number; active: number }>();
  for (const row of rows) {
    const [queue, user] = [text(row, "queue.name"), text(row, "channel_details.user")];
    const id = `consumer ${queue} ${user}`;
    const group = groups.get(id) ?? { queue, user, count: 0, active: 0 };
    group.count++;
    if (flag(row, "active")) group.active++;
    groups.set(id, group);
  }
  return groups;
}

/** What has the text in its name, and all that it can reach or be reached from. */
function nearTo(focus: string, nodes: readonly Node[], edges: readonly Edge[]): ReadonlySet<string> {
  const named = nodes.filter(
    ({ name, kind }) => kind !== "consumer" && name.toLowerCase().includes(focus.toLowerCase()),
  );
  const start = named.map(({ id }) => id);
  const walk = (next: (edge: Edge) => readonly [string, string]): ReadonlySet<string> => {
    const reached = new Set(start);
    // The set grows while it is walked.
    for (const id of reached) {
      for (const edge of edges) {
        const [from, to] = next(edge);
        if (from === id) reached.add(to);
      }
    }
    return reached;
  };
  return new Set([...walk(({ from, to }) => [from, to]), ...walk(({ from, to }) => [to, from])]);
}

/** Where a node is drawn, by its middle. */
export interface Placed extends Node {
  readonly x: number;
  readonly y: number;
}

export interface Drawing {
  readonly nodes: readonly Placed[];
  readonly edges: readonly Way[];
  readonly width: number;
  readonly height: number;
}

/** The corners of an edge, and the middle of its label. */
export interface Way extends Edge {
  readonly points: readonly Point[];
  readonly middle: Point;
}

export interface Point {
  readonly x: number;
  readonly y: number;
}

export const nodeWidth = 190;
export const nodeHeight = 46;
const margin = 24;
/** About what a letter of a label needs; what is longer is cut. */
const letterWidth = 7;
export const labelLettersMax = 26;

/** Gives everything its place, from left to right. */
export function draw({ nodes, edges }: Topology): Drawing {
  const graph = new Graph();
  graph.setGraph({ rankdir: "LR", nodesep: 18, ranksep: 64, marginx: margin, marginy: margin });
  graph.setDefaultEdgeLabel(() => ({}));
  for (const { id } of nodes) graph.setNode(id, { width: nodeWidth, height: nodeHeight });
  for (const { from, to, label } of edges) {
    const width = Math.min(label.length, labelLettersMax) * letterWidth;
    graph.setEdge(from, to, { width, height: label === "" ? 0 : nodeHeight / 3, labelpos: "c" });
  }
  layout(graph);
  const { width = 0, height = 0 } = graph.graph();
  return {
    nodes: nodes.map((node) => ({ ...node, x: graph.node(node.id).x, y: graph.node(node.id).y })),
    edges: edges.map((edge) => {
      const { points = [], x = 0, y = 0 } = graph.edge(edge.from, edge.to);
      return { ...edge, points, middle: { x, y } };
    }),
    width: Math.max(width, 2 * margin),
    height: Math.max(height, 2 * margin),
  };
}
