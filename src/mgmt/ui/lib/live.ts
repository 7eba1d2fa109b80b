import { useEffect, useMemo, useState } from "preact/hooks";
import { ApiError, authorization, isLoggedOut, reasonOf } from "./api.ts";
import { isRow, number, type Row, rowOf, text } from "./row.ts";
import { logOut } from "./session.ts";
import { Store } from "./store.ts";

/** How the stream does. */
export type LiveStatus = "connecting" | "live" | "lost";

/** The latest answer to something that is watched. */
export interface Live {
  readonly data: unknown;
  readonly error: ApiError | undefined;
  readonly loading: boolean;
}

const nothingYet: Live = { data: undefined, error: undefined, loading: true };
/** The broker sends something every five seconds. */
const silenceMs = 20_000;
const retryMs = 2000;

/** One stream of server-sent events for all that is on the page; it is opened anew when that changes. */
class LiveStream {
  readonly status = new Store<LiveStatus>("connecting");
  /** Whether something on the page has not been answered yet. */
  readonly isLoading = new Store(false);
  readonly #watched = new Map<string, { latest: Live; readonly listeners: Set<(live: Live) => void> }>();
  readonly #logListeners = new Set<(line: Row) => void>();
  #vhost = "";
  #abort: AbortController | undefined;
  #timer: ReturnType<typeof setTimeout> | undefined;

  /** Calls `listener` with each new answer to a path of the API, until the returned function is called. */
  watch(path: string, listener: (live: Live) => void): () => void {
    const existing = this.#watched.get(path);
    const entry = existing ?? { latest: nothingYet, listeners: new Set() };
    entry.listeners.add(listener);
    if (existing === undefined) this.#watched.set(path, entry);
    this.#noteLoading();
    if (existing === undefined) this.#restartSoon(30);
    else listener(entry.latest);
    return () => {
      entry.listeners.delete(listener);
      if (entry.listeners.size > 0) return;
      this.#watched.delete(path);
      this.#noteLoading();
      this.#restartSoon(30);
    };
  }

  watchLog(listener: (line: Row) => void): () => void {
    this.#logListeners.add(listener);
    this.#restartSoon(30);
    return () => {
      this.#logListeners.delete(listener);
      this.#restartSoon(30);
    };
  }

  /** Lists show this vhost only; the empty name is for all. */
  set vhost(name: string) {
    this.#vhost = name;
    this.#restartSoon(0);
  }

  /** Looks at everything again, after something was changed. */
  refresh(): void {
    this.#restartSoon(0);
  }

  /** Ends the stream; nobody is logged in. */
  stop(): void {
    clearTimeout(this.#timer);
    this.#abort?.abort();
    this.#watched.clear();
    this.status.set("connecting");
  }

  #noteLoading(): void {
    this.isLoading.set([...this.#watched.values()].some(({ latest }) => latest.loading));
  }

  #restartSoon(ms: number): void {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => void this.#run(), ms);
  }

  async #run(): Promise<void> {
    this.#abort?.abort();
    const abort = new AbortController();
    this.#abort = abort;
    if (this.#watched.size === 0 && this.#logListeners.size === 0) return;
    try {
      await this.#read(abort);
    } catch (error) {
      // Whatever ended it, it is tried again; what is on the page stays there and is marked as old.
      if (!abort.signal.aborted && error instanceof ApiError) this.#fail(error);
    }
    if (abort !== this.#abort || abort.signal.reason === "replaced") return;
    this.status.set("lost");
    this.#restartSoon(retryMs);
  }

  async #read(abort: AbortController): Promise<void> {
    const query = new URLSearchParams({ watch: JSON.stringify([...this.#watched.keys()]) });
    if (this.#logListeners.size > 0) query.set("log", "true");
    const response = await fetch(`api/stream?${query}`, {
      headers: { ...authorization(), ...(this.#vhost !== "" && { "x-vhost": this.#vhost }) },
      signal: abort.signal,
      cache: "no-store",
      credentials: "omit",
    });
    if (!response.ok || response.body === null) {
      const answer: unknown = await response.json().catch(() => undefined);
      if (response.status === 401 && isLoggedOut(answer)) logOut("Your login is no longer valid.");
      throw new ApiError(reasonOf(response.status, answer), { status: response.status });
    }
    this.status.set("live");
    let silence: ReturnType<typeof setTimeout> | undefined;
    const reader = response.body.pipeThrough(new TextDecoderStream()).getReader();
    let pending = "";
    for (;;) {
      clearTimeout(silence);
      silence = setTimeout(() => void reader.cancel(), silenceMs);
      const { done, value } = await reader.read().finally(() => clearTimeout(silence));
      if (done) return;
      const events = (pending + value).split("\n\n");
      pending = events.pop() ?? "";
      for (const event of events) this.#take(event);
    }
  }

  #take(event: string): void {
    const match = /^event: (\w+)\ndata: (.*)$/s.exec(event);
    if (match === null) return;
    const data: unknown = JSON.parse(match[2] ?? "null");
    if (match[1] === "log") for (const listener of this.#logListeners) listener(rowOf(data));
    if (match[1] === "answer" && isRow(data)) this.#answer(data);
  }

  #answer(answer: Row): void {
    const entry = this.#watched.get(text(answer, "watch"));
    if (entry === undefined) return;
    const [status, body] = [number(answer, "status"), answer["body"]];
    if (status === 401 && text(body, "reason") === "Login failed") {
      logOut("Your login is no longer valid.");
      return;
    }
    const error = status >= 400 ? new ApiError(reasonOf(status, body), { status }) : undefined;
    entry.latest = { data: error === undefined ? body : undefined, error, loading: false };
    for (const listener of [...entry.listeners]) listener(entry.latest);
    this.#noteLoading();
  }

  #fail(error: ApiError): void {
    for (const entry of this.#watched.values()) {
      if (entry.latest.data !== undefined) continue;
      entry.latest = { data: undefined, error, loading: false };
      for (const listener of [...entry.listeners]) listener(entry.latest);
    }
  }
}

/** The stream of this page. */
export const live = new LiveStream();

/** The answer to a path of the API, kept up to date; nothing is watched without a path. */
export function useLive(path: string | undefined): Live {
  const paths = useMemo(() => (path === undefined ? [] : [path]), [path]);
  const answers = useLiveAll(paths);
  return (path === undefined ? undefined : answers.get(path)) ?? nothingYet;
}

/** The same for several paths. What came for a path stays until another is asked for. */
export function useLiveAll(paths: readonly string[]): ReadonlyMap<string, Live> {
  const [answers, setAnswers] = useState<ReadonlyMap<string, Live>>(new Map());
  const key = paths.join("\n");
  useEffect(() => {
    const wanted = key === "" ? [] : key.split("\n");
    setAnswers((before) => new Map([...before].filter(([path]) => wanted.includes(path))));
    const stops = wanted.map((path) =>
      live.watch(path, (answer) => setAnswers((before) => new Map(before).set(path, answer))),
    );
    return () => {
      for (const stop of stops) stop();
    };
  }, [key]);
  return answers;
}
