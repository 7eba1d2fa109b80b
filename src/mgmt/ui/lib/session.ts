import { isRow, text, texts } from "./row.ts";
import { Store } from "./store.ts";

/** Who is logged in, and what their tags allow. */
export interface Session {
  readonly name: string;
  readonly tags: readonly string[];
}

/** Undefined while nobody is logged in. */
export const session = new Store<Session | undefined>(undefined);
/** Why nobody is, when somebody was. */
export const logOutReason = new Store<string>("");

/**
 * Name and password as HTTP Basic has them. They live as long as the tab: in memory, and in sessionStorage so that a reload
 * keeps them; never in a cookie or a URL.
 */
const key = "tsbroker.login";
let basic: string | undefined;

export function credentials(): string | undefined {
  return basic;
}

/**
 * Logs in, or says why not. As with all requests `omit` keeps the browser from asking for a password itself when the broker
 * refuses one.
 */
export async function logIn(username: string, password: string): Promise<string | undefined> {
  const bytes = new TextEncoder().encode(`${username}:${password}`);
  return open(btoa(String.fromCodePoint(...bytes)));
}

/** Takes up the login of before a reload. */
export async function resume(): Promise<void> {
  const kept = sessionStorage.getItem(key);
  if (kept !== null) await open(kept);
}

/** Forgets who was logged in. */
export function logOut(reason = ""): void {
  basic = undefined;
  sessionStorage.removeItem(key);
  logOutReason.set(reason);
  session.set(undefined);
}

async function open(value: string): Promise<string | undefined> {
  try {
    const response = await fetch("api/whoami", { headers: { authorization: `Basic ${value}` }, credentials: "omit" });
    const answer: unknown = await response.json().catch(() => undefined);
    if (!response.ok || !isRow(answer)) return refusalText(answer, response.status);
    basic = value;
    sessionStorage.setItem(key, value);
    logOutReason.set("");
    session.set({ name: text(answer, "name"), tags: texts(answer, "tags") });
    return undefined;
  } catch {
    return "The broker cannot be reached.";
  }
}

function refusalText(answer: unknown, status: number): string {
  const reason = text(answer, "reason");
  if (reason === "Login failed" || reason === "")
    return status === 401 ? "Wrong user name or password." : `The broker answered ${status}.`;
  if (reason === "Not management user") return "This user has no tag that lets them see the management page.";
  return `${reason}.`;
}

/** Whether who is logged in may do what only these may. */
export function may(what: "administer" | "monitor" | "make policies"): boolean {
  const tags = session.value?.tags ?? [];
  if (tags.includes("administrator")) return true;
  if (what === "monitor") return tags.includes("monitoring");
  return what === "make policies" && tags.includes("policymaker");
}
