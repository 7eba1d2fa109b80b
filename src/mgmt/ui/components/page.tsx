import type { ComponentChildren, JSX } from "preact";
import { useEffect } from "preact/hooks";
import type { ApiError } from "../lib/api.ts";
import { isRow } from "../lib/row.ts";

/** The head of a page: where it is, what it is about, and what can be done there. */
export function PageHead(props: {
  readonly title: string;
  readonly above?: ComponentChildren;
  readonly tags?: ComponentChildren;
  readonly children?: ComponentChildren;
}): JSX.Element {
  const { title, above, tags, children } = props;
  useEffect(() => {
    document.title = `${title} · tsbroker`;
  }, [title]);
  return (
    <header class="page-head">
      <div>
        {above !== undefined && <nav class="crumbs">{above}</nav>}
        <h1>{title}</h1>
        {tags}
      </div>
      <div class="actions">{children}</div>
    </header>
  );
}

/** A titled part of a page. */
export function Section(props: {
  readonly title: string;
  readonly count?: number | undefined;
  readonly actions?: ComponentChildren;
  readonly children: ComponentChildren;
}): JSX.Element {
  const { title, count, actions, children } = props;
  return (
    <section class="card">
      <header>
        <h2>
          {title}
          {count !== undefined && <span class="count">{count}</span>}
        </h2>
        <div class="actions">{actions}</div>
      </header>
      {children}
    </section>
  );
}

/** Names and values. What is undefined is left out. */
export function Facts({ of }: { readonly of: readonly (readonly [string, ComponentChildren])[] }): JSX.Element {
  return (
    <dl class="facts">
      {of
        .filter(([, value]) => value !== undefined && value !== "" && value !== null)
        .map(([name, value]) => (
          <div key={name}>
            <dt>{name}</dt>
            <dd>{value}</dd>
          </div>
        ))}
    </dl>
  );
}

/** A small label. */
export function Badge(props: {
  readonly kind?: "good" | "warn" | "bad" | "accent";
  readonly title?: string;
  readonly children: ComponentChildren;
}): JSX.Element {
  return (
    <span class={`badge ${props.kind ?? ""}`} title={props.title}>
      {props.children}
    </span>
  );
}

/** What is said where nothing is. */
export function Empty({ children }: { readonly children: ComponentChildren }): JSX.Element {
  return <p class="empty">{children}</p>;
}

/** Why there is nothing to see; `of` is what the page is about, if it is about one thing. */
export function Failure({ error, of }: { readonly error: ApiError; readonly of?: string }): JSX.Element {
  const what = error.status === 404 ? "Not found" : error.status === 401 ? "Not allowed" : "That did not work";
  return (
    <div class="failure" role="alert">
      <b>{of === undefined ? what : `${what}: ${of}`}</b>
      <p>{error.message}</p>
    </div>
  );
}

/** Any value of JSON, short enough for a cell. */
export function Value({ of }: { readonly of: unknown }): JSX.Element {
  if (isRow(of)) {
    const entries = Object.entries(of);
    if (entries.length === 0) return <span class="dim">none</span>;
    return (
      <dl class="table-value">
        {entries.map(([name, value]) => (
          <div key={name}>
            <dt>{name}</dt>
            <dd>
              <Value of={value} />
            </dd>
          </div>
        ))}
      </dl>
    );
  }
  if (Array.isArray(of) && of.some(isRow)) {
    return (
      <ol class="list-value">
        {of.map((item) => (
          <li key={JSON.stringify(item)}>
            <Value of={item} />
          </li>
        ))}
      </ol>
    );
  }
  if (Array.isArray(of)) return <span>{of.map((item) => JSON.stringify(item)).join(", ")}</span>;
  return <span>{typeof of === "string" ? of : JSON.stringify(of)}</span>;
}
