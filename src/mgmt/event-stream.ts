import { Readable } from "node:stream";
import { writeJson } from "../exact-json.ts";
import type { Answer } from "./call.ts";
import { hasLazyList, jsonChunks } from "./json-stream.ts";
import { refusalOf } from "./refusal.ts";

/** A client that lets more than this pile up is too slow: its stream ends. */
const pendingSizeMax = 4 * 1024 * 1024;
/** Longest answer in one event; lists should be paged. */
const answerSizeMax = 2 * 1024 * 1024;

/** One thing that a stream looks at again and again. */
export interface Watched {
  /** As the client spelled it. */
  readonly path: string;
  /** Looks now. Throws the refusal that a request would get. */
  look(): Answer | Promise<Answer>;
}

/**
 * Server-sent events: what is watched, each time that it looks different. A client that reads too slowly is cut off instead
 * of waited for; it may come again.
 */
export class EventStream extends Readable {
  readonly #watched: readonly Watched[];
  readonly #last = new Map<string, string>();
  #isLooking = false;

  constructor(watched: readonly Watched[]) {
    super({ objectMode: false });
    this.#watched = watched;
  }

  /** Everything is pushed as it comes. */
  override _read(): void {}

  /** Looks at everything that is watched, and sends what changed. Does nothing while it is at it. */
  async look(): Promise<void> {
    if (this.#isLooking || this.destroyed) return;
    this.#isLooking = true;
    try {
      // Bytes that say no more than that the stream is alive.
      this.#write(":\n\n");
      for (const watched of this.#watched) {
        if (this.destroyed) return;
        const event = await eventOf(watched);
        if (this.#last.get(watched.path) === event) continue;
        this.#last.set(watched.path, event);
        this.send("answer", event);
      }
    } catch (error) {
      this.destroy(error instanceof Error ? error : new Error(String(error)));
    } finally {
      this.#isLooking = false;
    }
  }

  /** Sends one event; `json` has no line break in it. */
  send(name: string, json: string): void {
    this.#write(`event: ${name}\ndata: ${json}\n\n`);
  }

  #write(text: string): void {
    if (this.destroyed) return;
    if (this.readableLength > pendingSizeMax) this.destroy();
    else this.push(text);
  }
}

async function eventOf({ path, look }: Watched): Promise<string> {
  const head = `{"watch":${JSON.stringify(path)}`;
  try {
    const { status, body } = await look();
    return `${head},"status":${status},"body":${await textOf(body)}}`;
  } catch (error) {
    const refusal = refusalOf(error);
    if (refusal === undefined) throw error;
    const body = { error: refusal.error, reason: refusal.message };
    return `${head},"status":${refusal.status},"body":${JSON.stringify(body)}}`;
  }
}

async function textOf(body: unknown): Promise<string> {
  if (!hasLazyList(body)) return writeJson(body ?? null);
  let text = "";
  for await (const chunk of jsonChunks(body)) {
    text += chunk;
    if (text.length > answerSizeMax) return JSON.stringify({ error: "bad_request", reason: "page the list" });
  }
  return text;
}
