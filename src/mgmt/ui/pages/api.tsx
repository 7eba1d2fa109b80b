import type { JSX } from "preact";
import { useEffect, useState } from "preact/hooks";
import { Badge, Empty, PageHead, Section } from "../components/page.tsx";
import { request } from "../lib/api.ts";
import { isRow, rowOf, text } from "../lib/row.ts";

interface Operation {
  readonly method: string;
  readonly path: string;
  readonly summary: string;
  readonly description: string;
}

/** Every route of the HTTP API, from its own document. */
export function ApiPage(): JSX.Element {
  const [operations, setOperations] = useState<readonly Operation[]>([]);
  const [filter, setFilter] = useState("");
  useEffect(() => {
    request("GET", "/openapi.json").then(
      (document) => setOperations(operationsOf(document)),
      () => setOperations([]),
    );
  }, []);
  const shown = operations.filter(({ method, path, summary }) =>
    `${method} ${path} ${summary}`.toLowerCase().includes(filter.toLowerCase()),
  );
  return (
    <>
      <PageHead title="HTTP API">
        <a class="button" href="api/openapi.json" download="openapi.json">
          openapi.json
        </a>
      </PageHead>
      <div class="toolbar">
        <input
          type="search"
          class="filter-box"
          aria-label="Filter routes"
          placeholder="Filter routes  ( / )"
          onInput={(event) => setFilter(event.currentTarget.value)}
        />
        <span class="dim">{shown.length} routes</span>
      </div>
      <Section title="Routes">
        {shown.length === 0 && <Empty>No route fits.</Empty>}
        <ul class="routes">
          {shown.map(({ method, path, summary, description }) => (
            <li key={`${method} ${path}`}>
              <Badge kind={method === "GET" ? "good" : method === "DELETE" ? "bad" : "accent"}>{method}</Badge>
              <code>{path}</code>
              <span>
                {summary} <span class="dim">{description}</span>
              </span>
            </li>
          ))}
        </ul>
      </Section>
    </>
  );
}

function operationsOf(document: unknown): readonly Operation[] {
  return Object.entries(rowOf(rowOf(document)["paths"])).flatMap(([path, methods]) =>
    isRow(methods)
      ? Object.entries(methods).map(([method, operation]) => ({
          method: method.toUpperCase(),
          path,
          summary: text(operation, "summary"),
          description: text(operation, "description"),
        }))
      : [],
  );
}
