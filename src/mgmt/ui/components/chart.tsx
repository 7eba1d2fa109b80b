import type { JSX } from "preact";
import { useEffect, useMemo, useRef, useState } from "preact/hooks";
import uPlot from "uplot";
import { durationSteps } from "../lib/format.ts";
import { useStore } from "../lib/store.ts";
import { coloursChanged } from "../lib/theme.ts";

/** One line of a chart. */
export interface Series {
  readonly label: string;
  /** Number of its colour in the palette. */
  readonly colour: number;
  /** Null where there is nothing to tell. */
  readonly values: readonly (number | null)[];
  /** What the legend says it is now; without it, the last value. */
  readonly now?: number;
}

const height = 180;

/** Lines over time, with a legend that tells the latest values and hides a line when clicked. */
export function Chart(props: {
  readonly title: string;
  /** Seconds since the epoch. */
  readonly times: readonly number[];
  readonly series: readonly Series[];
  readonly format: (value: number) => string;
  /** Distances that marks may have; those that are round in tens unless given. */
  readonly steps?: readonly number[] | undefined;
}): JSX.Element {
  const { title, times, series, format, steps } = props;
  const [hidden, setHidden] = useState<ReadonlySet<string>>(new Set());
  const toggle = (label: string): void => {
    const next = new Set(hidden);
    if (!next.delete(label)) next.add(label);
    setHidden(next);
  };
  const latest = (line: Series): string => {
    const value = line.now ?? line.values.at(-1) ?? undefined;
    return value === undefined ? "–" : format(value);
  };
  const summary = series.map((line) => `${line.label} ${latest(line)}`).join(", ");
  return (
    <figure class="chart">
      <figcaption>{title}</figcaption>
      <Plot
        times={times}
        series={series.filter(({ label }) => !hidden.has(label))}
        format={format}
        steps={steps}
        label={`${title}: ${summary}`}
      />
      <ul class="legend">
        {series.map((line) => (
          <li key={line.label}>
            <button
              type="button"
              class={`plain key colour-${line.colour}`}
              aria-pressed={!hidden.has(line.label)}
              title="Show or hide this line"
              onClick={() => toggle(line.label)}
            >
              <i aria-hidden="true" />
              <span>{line.label}</span> <b>{latest(line)}</b>
            </button>
          </li>
        ))}
      </ul>
    </figure>
  );
}

function Plot(props: {
  readonly times: readonly number[];
  readonly series: readonly Series[];
  readonly format: (value: number) => string;
  readonly steps: readonly number[] | undefined;
  readonly label: string;
}): JSX.Element {
  const { times, series, label } = props;
  const box = useRef<HTMLDivElement>(null);
  const plot = useRef<uPlot | undefined>(undefined);
  const colours = useStore(coloursChanged);
  const shape = series.map((line) => `${line.label}/${line.colour}`).join();
  const data = useMemo(
    (): uPlot.AlignedData => [[...times], ...series.map(({ values }) => [...values])],
    [times, series],
  );
  useEffect(() => {
    const element = box.current;
    if (element === null) return;
    const made = new uPlot(optionsOf(element, props), data, element);
    plot.current = made;
    const observer = new ResizeObserver(() => made.setSize({ width: element.clientWidth, height }));
    observer.observe(element);
    return () => {
      observer.disconnect();
      made.destroy();
      plot.current = undefined;
    };
  }, [shape, colours]);
  useEffect(() => plot.current?.setData(data), [data]);
  return <div class="plot" ref={box} role="img" aria-label={label} />;
}

/** The time on a 24-hour clock, with seconds where the marks are close. */
function clock(seconds: number, step: number): string {
  return new Date(seconds * 1000).toTimeString().slice(0, step < 60 ? 8 : 5);
}

function optionsOf(element: HTMLElement, { series, format, steps }: Parameters<typeof Plot>[0]): uPlot.Options {
  const style = getComputedStyle(element);
  const colour = (name: string): string => style.getPropertyValue(name).trim();
  const probe = document.createElement("i");
  element.append(probe);
  const resolved = (name: string): string => {
    probe.style.color = `var(${name})`;
    return getComputedStyle(probe).color;
  };
  const [lines, grid] = [resolved("--dim"), resolved("--line")];
  const axis = {
    stroke: lines,
    grid: { stroke: grid, width: 1 },
    ticks: { show: false },
    font: `11px ${colour("--sans")}`,
  };
  const options: uPlot.Options = {
    width: element.clientWidth,
    height,
    legend: { show: false },
    cursor: { points: { size: 6 }, drag: { x: false, y: false } },
    scales: { y: { range: (_plot, _min, max) => [0, max > 0 ? max * 1.1 : 1] } },
    axes: [
      {
        ...axis,
        space: 70,
        incrs: durationSteps.flatMap((ms) => (ms < 1000 ? [] : [ms / 1000])),
        size: 26,
        values: (_plot, splits, _axis, _space, step) => splits.map((at) => clock(at, step)),
      },
      {
        ...axis,
        ...(steps !== undefined && { incrs: [...steps] }),
        size: 64,
        values: (_plot, values) => values.map((value) => format(value).replace(/^–$/, "0")),
      },
    ],
    series: [
      {},
      ...series.map((line) => ({
        label: line.label,
        stroke: resolved(`--chart-${line.colour}`),
        width: 1.75,
        points: { show: false },
        spanGaps: true,
      })),
    ],
  };
  probe.remove();
  return options;
}
