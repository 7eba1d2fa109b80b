import type { HTMLAttributes, JSX } from "preact";
import { useLayoutEffect, useRef, useState } from "preact/hooks";
import { rate } from "../lib/format.ts";
import { shownExchange } from "../lib/links.tsx";
import { href } from "../lib/router.ts";
import {
  type Drawing,
  labelLettersMax,
  type Node,
  nodeHeight,
  nodeWidth,
  type Placed,
  type Point,
} from "../lib/topology.ts";

const zoomMax = 2.5;
const zoomMin = 0.2;
/** In the units of the picture, however thick the line is. */
const arrowSize = { markerWidth: 9, markerHeight: 9, markerUnits: "userSpaceOnUse" } as const;
/** Smaller text can hardly be read. */
const legibleZoom = 0.75;

/** The picture itself: drag to move it, buttons to zoom; every exchange and queue is a link to its page. */
export function TopologyGraph(props: {
  readonly vhost: string;
  readonly drawing: Drawing;
  /** The same nodes with what is known of them now. */
  readonly current: readonly Node[];
  /** Ids of nodes, and of ways as `from>to`, that stand out. */
  readonly lit: ReadonlySet<string>;
}): JSX.Element {
  const { vhost, drawing, current, lit } = props;
  const [zoom, setZoom] = useState(1);
  const box = useRef<HTMLDivElement>(null);
  const zoomBy = (factor: number): void => setZoom(Math.min(zoomMax, Math.max(zoomMin, zoom * factor)));
  const fitting = (): number => Math.min(1, (box.current?.clientWidth ?? drawing.width) / drawing.width);
  const fit = (): void => setZoom(fitting());
  // At first it can be read, if need be in parts.
  useLayoutEffect(() => setZoom(Math.max(legibleZoom, fitting())), [drawing]);
  const latest = new Map(current.map((node) => [node.id, node]));
  return (
    <div class={`topology ${lit.size > 0 ? "has-lit" : ""}`}>
      <fieldset class="zoom" aria-label="Zoom">
        <button type="button" aria-label="Smaller" onClick={() => zoomBy(0.8)}>
          −
        </button>
        <button type="button" onClick={fit}>
          Fit
        </button>
        <button type="button" aria-label="Bigger" onClick={() => zoomBy(1.25)}>
          +
        </button>
      </fieldset>
      <div class="canvas" ref={box} {...draggedBy(box)}>
        <svg
          width={drawing.width * zoom}
          height={drawing.height * zoom}
          viewBox={`0 0 ${drawing.width} ${drawing.height}`}
        >
          <title>Topology of virtual host {vhost}</title>
          <defs>
            {["arrow", "arrow-lit"].map((id) => (
              <marker key={id} id={id} viewBox="0 0 8 8" refX="7" refY="4" orient="auto" {...arrowSize}>
                <path d="M0 0 8 4 0 8z" class={id} />
              </marker>
            ))}
          </defs>
          {drawing.edges.map(({ from, to, label, points, middle, isSideway = false }) => (
            <g
              key={`${from}>${to}`}
              class={`edge ${lit.has(`${from}>${to}`) ? "lit" : ""} ${isSideway ? "sideway" : ""}`}
            >
              <path d={curve(points)} marker-end={lit.has(`${from}>${to}`) ? "url(#arrow-lit)" : "url(#arrow)"} />
              <EdgeLabel label={label} middle={middle} />
            </g>
          ))}
          {drawing.nodes.map((node) => (
            <NodeBox key={node.id} vhost={vhost} node={{ ...node, ...latest.get(node.id) }} isLit={lit.has(node.id)} />
          ))}
        </svg>
      </div>
    </div>
  );
}

/** A smooth line through the middles of a path's legs. */
function curve(points: readonly Point[]): string {
  const [first, ...others] = points;
  if (first === undefined) return "";
  const parts = others.map((point, index) => {
    const next = others[index + 1];
    if (next === undefined) return `L${point.x} ${point.y}`;
    return `Q${point.x} ${point.y} ${(point.x + next.x) / 2} ${(point.y + next.y) / 2}`;
  });
  return `M${first.x} ${first.y}${parts.join("")}`;
}

function EdgeLabel({ label, middle }: { label: string; middle: Point }): JSX.Element | null {
  if (label === "") return null;
  return (
    <text x={middle.x} y={middle.y - 5} text-anchor="middle">
      {shortened(label, labelLettersMax)}
      <title>{label}</title>
    </text>
  );
}

const nameSize = 24;

function NodeBox({ vhost, node, isLit }: { vhost: string; node: Placed; isLit: boolean }): JSX.Element {
  const { kind, name, note, x, y } = node;
  const shown = name === "" ? "(default)" : name;
  const content = (
    <>
      <rect
        x={x - nodeWidth / 2}
        y={y - nodeHeight / 2}
        width={nodeWidth}
        height={nodeHeight}
        rx={kind === "exchange" ? nodeHeight / 2 : kind === "queue" ? 6 : 14}
      />
      <text x={x} y={y - 3} text-anchor="middle" class="node-name">
        {shortened(shown, nameSize)}
        <title>{shown}</title>
      </text>
      <text x={x} y={y + 13} text-anchor="middle" class="node-note">
        {note}
        {node.rate > 0 ? ` · ${rate(node.rate)}` : ""}
      </text>
    </>
  );
  const className = `node ${kind} ${isLit ? "lit" : ""} ${node.rate > 0 ? "busy" : ""}`;
  if (kind === "consumer") return <g class={className}>{content}</g>;
  const link = kind === "queue" ? href("queues", vhost, name) : href("exchanges", vhost, shownExchange(name));
  return (
    <a href={link} class={className}>
      {content}
    </a>
  );
}

function shortened(name: string, size: number): string {
  return name.length <= size ? name : `${name.slice(0, size - 1)}…`;
}

/** Moves the picture with a mouse; fingers and keys scroll it anyway. */
function draggedBy(box: { current: HTMLDivElement | null }): HTMLAttributes<HTMLDivElement> {
  const move = (event: PointerEvent): void => {
    if (event.buttons !== 1 || event.pointerType !== "mouse") return;
    box.current?.scrollBy(-event.movementX, -event.movementY);
  };
  return { onPointerMove: move, tabIndex: 0 };
}
