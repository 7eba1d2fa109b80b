import { Store, useStore } from "./store.ts";

/** Where the page is: `#/queues/%2F/orders?tab=messages` has the parts queues, / and orders. */
export interface Route {
  readonly parts: readonly string[];
  readonly query: URLSearchParams;
}

/** The route of this page. */
export const route = new Store<Route>(parsed());

window.addEventListener("hashchange", () => route.set(parsed()));

function parsed(): Route {
  const [path = "", query = ""] = location.hash.replace(/^#\/?/, "").split("?");
  return { parts: path === "" ? [] : path.split("/").map(decoded), query: new URLSearchParams(query) };
}

function decoded(part: string): string {
  try {
    return decodeURIComponent(part);
  } catch {
    // A link that somebody typed: what it says is as good a name as any.
    return part;
  }
}

/** The link to a page. */
export function href(...parts: readonly string[]): string {
  return `#/${parts.map(encodeURIComponent).join("/")}`;
}

export function goTo(link: string): void {
  location.hash = link;
}

/** Changes what the URL says about the page, without a step in the history. Undefined takes a name out. */
export function setQuery(changes: Readonly<Record<string, string | undefined>>): void {
  const { parts, query } = route.value;
  const next = new URLSearchParams(query);
  for (const [name, value] of Object.entries(changes)) {
    if (value === undefined) next.delete(name);
    else next.set(name, value);
  }
  const text = next.toString();
  history.replaceState(null, "", `${href(...parts)}${text === "" ? "" : `?${text}`}`);
  route.set({ parts, query: next });
}

export function useRoute(): Route {
  return useStore(route);
}
