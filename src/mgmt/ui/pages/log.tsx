import type { JSX } from "preact";
import { useEffect, useRef, useState } from "preact/hooks";
import { Badge, Empty, Failure, PageHead } from "../components/page.tsx";
import { ApiError, request } from "../lib/api.ts";
import { live } from "../lib/live.ts";
import { type Row, rowsOf, text } from "../lib/row.ts";
import { may } from "../lib/session.ts";

const levels = ["debug", "info", "warn", "error"] as const;
type Level = (typeof levels)[number];
const linesMax = 2000;

/** The log as it is written. */
export function LogPage(): JSX.Element {
  const [lines, setLines] = useState<readonly Row[]>([]);
  const [error, setError] = useState<ApiError | undefined>(undefined);
  const [least, setLeast] = useState<Level>("debug");
  const [filter, setFilter] = useState("");
  const [isPaused, setPaused] = useState(false);
  const paused = useRef(false);
  paused.current = isPaused;
  useEffect(() => {
    request("GET", "/log").then(
      (answer) => setLines((before) => [...rowsOf(answer), ...before]),
      (reason: unknown) => setError(reason instanceof ApiError ? reason : new ApiError(String(reason), { status: 0 })),
    );
    // To others the answer says that they may not.
    if (!may("administer")) return undefined;
    return live.watchLog((line) => {
      if (!paused.current) setLines((before) => [...before, line].slice(-linesMax));
    });
  }, []);
  if (error !== undefined) return <Failure error={error} />;
  const from = levels.indexOf(least);
  const shown = lines
    .filter((line) => rank(line) >= from && JSON.stringify(line).toLowerCase().includes(filter.toLowerCase()))
    .toReversed();
  return (
    <>
      <PageHead title="Live log">
        <button type="button" aria-pressed={isPaused} onClick={() => setPaused(!isPaused)}>
          {isPaused ? "Go on" : "Pause"}
        </button>
      </PageHead>
      <div class="toolbar">
        <input
          type="search"
          class="filter-box"
          aria-label="Filter the log"
          placeholder="Filter the log  ( / )"
          onInput={(event) => setFilter(event.currentTarget.value)}
        />
        <label class="inline">
          <span>From level</span>
          <select
            value={least}
            onChange={(event) => setLeast(levels.find((level) => level === event.currentTarget.value) ?? "debug")}
          >
            {levels.map((level) => (
              <option key={level}>{level}</option>
            ))}
          </select>
        </label>
        <span class="dim">{shown.length} lines, the newest first</span>
      </div>
      {shown.length === 0 ? (
        <Empty>Nothing has been logged that fits. What is logged depends on the broker's log level.</Empty>
      ) : (
        <ol class="log">
          {shown.slice(0, 500).map((line, index) => (
            <Line key={`${text(line, "time")} ${shown.length - index}`} line={line} />
          ))}
        </ol>
      )}
    </>
  );
}

function rank(line: Row): number {
  const level = text(line, "level");
  if (level === "fatal") return levels.length - 1;
  return levels.reduce((found, one, index) => (one === level ? index : found), 0);
}

function Line({ line }: { line: Row }): JSX.Element {
  const level = text(line, "level");
  const rest = Object.entries(line).filter(([name]) => !["time", "level", "msg"].includes(name));
  return (
    <li>
      <time>{text(line, "time").replace("T", " ").replace("Z", "")}</time>
      <Badge kind={level === "error" || level === "fatal" ? "bad" : level === "warn" ? "warn" : "good"}>{level}</Badge>
      <span>
        {text(line, "msg")}{" "}
        {rest.map(([name, value]) => (
          <span key={name} class="dim">
            {name}={typeof value === "string" ? value : JSON.stringify(value)}{" "}
          </span>
        ))}
      </span>
    </li>
  );
}
