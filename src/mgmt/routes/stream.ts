import type { User } from "../../users.ts";
import type { Api } from "../api.ts";
import type { Guard } from "../auth.ts";
import { type Answer, answer, type Call } from "../call.ts";
import { EventStream, type Watched } from "../event-stream.ts";
import type { ManagementHost } from "../host.ts";
import { badRequest, notAuthorised, unavailable } from "../refusal.ts";
import type { Row } from "../rows.ts";

/** Streams at one time, and what one may watch. */
const streamsMax = 100;
const watchedMax = 16;
const watchSizeMax = 2048;

/** `/api/stream`, one connection for all that a page shows, and `/api/log`, the last lines of the log. */
export function streamRoutes(api: Api, host: ManagementHost, guard: Guard): void {
  const { metrics, recentLog } = host;
  const streams = new Set<EventStream>();
  const refresh = (): void => {
    for (const stream of streams) void stream.look();
  };
  const open = (stream: EventStream, onLine: ((line: string) => void) | undefined): void => {
    if (streams.size === 0) metrics.listeners.add(refresh);
    streams.add(stream);
    if (onLine !== undefined) recentLog.listeners.add(onLine);
    stream.once("error", (error) => host.logs.management.error({ err: error }, "an event stream has failed"));
    stream.once("close", () => {
      streams.delete(stream);
      if (streams.size === 0) metrics.listeners.delete(refresh);
      if (onLine !== undefined) recentLog.listeners.delete(onLine);
    });
    void stream.look();
  };
  api.get("/log", "administrator", () => answer(recentLog.lines().map(lineRow)));
  api.get("/stream", "management", (call): Answer => {
    if (streams.size >= streamsMax) throw unavailable(`there are ${streamsMax} streams already`);
    const wantsLog = call.query["log"] === "true";
    if (wantsLog) guard.check(call.user, "administrator", "GET", undefined);
    const watched = watchedBy(api, host, call);
    if (watched.length === 0 && !wantsLog) throw badRequest("'watch' or 'log' should say what to stream");
    const stream = new EventStream(watched);
    const onLine = (line: string): void => {
      // Whoever lost the tag meanwhile reads no further.
      if (host.users.find(call.user.name) !== call.user) stream.destroy();
      else stream.send("log", JSON.stringify(lineRow(line)));
    };
    open(stream, wantsLog ? onLine : undefined);
    const headers = { "content-type": "text/event-stream", "cache-control": "no-store", "x-accel-buffering": "no" };
    return { status: 200, stream, headers };
  });
}

/** What the query asks to watch: paths of the API in `watch`, a JSON list. */
function watchedBy(api: Api, { users }: ManagementHost, call: Call): readonly Watched[] {
  return pathsIn(call.query["watch"] ?? "[]").map((path) => {
    if (path.startsWith("/stream")) throw badRequest("a stream cannot be watched");
    return { path, look: () => api.look(path, sameUser(users.find(call.user.name), call.user), call) };
  });
}

function pathsIn(text: string): readonly string[] {
  const paths = parsed(text);
  const isFine =
    Array.isArray(paths) && paths.length <= watchedMax && paths.every((path) => isPath(path, watchSizeMax));
  if (isFine) return paths;
  throw badRequest(`'watch' should be a JSON list of at most ${watchedMax} paths, each of ${watchSizeMax} characters`);
}

function isPath(value: unknown, sizeMax: number): value is string {
  return typeof value === "string" && value.startsWith("/") && value.length <= sizeMax;
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    throw badRequest("'watch' is no JSON", { cause: error });
  }
}

/** The user who opened the stream, as long as nothing about them changed. */
function sameUser(now: User | undefined, then: User): User {
  if (now === then) return then;
  throw notAuthorised("Login failed");
}

/** A line of the log; one that is no JSON, as a message. */
function lineRow(line: string): Row {
  try {
    const row: unknown = JSON.parse(line);
    if (typeof row === "object" && row !== null) return { ...row };
  } catch {
    // What a dependency prints is shown as it is.
  }
  return { level: "info", msg: line.trimEnd() };
}
