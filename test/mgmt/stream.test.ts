import { afterEach, describe, expect, it } from "vitest";
import { useBroker } from "../support/broker.ts";
import { addUser, asGuest, badRequest, notAuthorised } from "../support/management.ts";
import { eventually } from "../support/wait-for.ts";

const broker = useBroker({ logLevel: "info" });
const admin = asGuest(broker);
const streams: Stream[] = [];

interface Event {
  readonly name: string;
  readonly data: Readonly<Record<string, unknown>>;
}

/** A client of the event stream. */
class Stream {
  readonly events: Event[] = [];
  readonly #abort = new AbortController();
  ended = false;

  static async open(query: string, user = "guest", password = "guest"): Promise<Stream> {
    const stream = new Stream();
    streams.push(stream);
    const response = await fetch(`${broker.managementUrl}/api/stream?${query}`, {
      headers: { authorization: `Basic ${btoa(`${user}:${password}`)}` },
      signal: stream.#abort.signal,
    });
    if (response.body === null) throw new Error("no body");
    expect(response.headers.get("content-type")).toBe("text/event-stream");
    void stream.#read(response.body);
    return stream;
  }

  close(): void {
    this.#abort.abort();
  }

  async #read(body: ReadableStream<Uint8Array>): Promise<void> {
    let pending = "";
    try {
      for await (const chunk of body.pipeThrough(new TextDecoderStream())) {
        const parts = (pending + chunk).split("\n\n");
        pending = parts.pop() ?? "";
        for (const part of parts) this.#take(part);
      }
    } catch (error) {
      // How a stream ends for its client.
      expect(error).toBeInstanceOf(Error);
    }
    this.ended = true;
  }

  #take(part: string): void {
    const [, name = "", data = ""] = /^event: (\w+)\ndata: (.*)$/s.exec(part) ?? [];
    if (name !== "") this.events.push({ name, data: Object(JSON.parse(data)) });
  }

  /** The answers to one path, oldest first. */
  answers(watch: string): unknown[] {
    return this.events.filter(({ data }) => data["watch"] === watch).map(({ data }) => data["body"]);
  }
}

function watching(...paths: string[]): string {
  return new URLSearchParams({ watch: JSON.stringify(paths) }).toString();
}

afterEach(() => {
  for (const stream of streams.splice(0)) stream.close();
});

describe("the event stream", () => {
  it("sends what is watched at once, and again when it changed", async () => {
    const path = "/queues/%2F?columns=name";
    const stream = await Stream.open(watching(path, "/whoami", "/nothing-there"));
    await eventually(() => expect(stream.events).toHaveLength(3));
    expect(stream.answers(path)).toEqual([[]]);
    expect(stream.answers("/whoami")).toEqual([expect.objectContaining({ name: "guest" })]);
    expect(stream.events[2]?.data).toMatchObject({ status: 404 });
    await admin.must("PUT", "/queues/%2F/watched");
    await eventually(() => expect(stream.answers(path)).toEqual([[], [{ name: "watched" }]]));
    expect(stream.answers("/whoami")).toHaveLength(1);
  });

  it("answers with the rights of its user, and ends its answers with them", async () => {
    await addUser(broker, "watcher", ["management"]);
    const stream = await Stream.open(watching("/users", "/queues/%2F", "/whoami"), "watcher", "watcher-pw");
    await eventually(() => expect(stream.events).toHaveLength(3));
    expect(stream.answers("/users")).toEqual([notAuthorised("Not administrator user")]);
    expect(stream.answers("/queues/%2F")).toEqual([notAuthorised("User not authorised to access virtual host")]);
    await admin.must("DELETE", "/users/watcher");
    await eventually(() => expect(stream.answers("/whoami").at(-1)).toEqual(notAuthorised("Login failed")));
  });

  it("sends the log to administrators, without passwords", async () => {
    const stream = await Stream.open("log=true");
    const wrong = await fetch(`${broker.managementUrl}/api/whoami`, {
      headers: { authorization: `Basic ${btoa("guest:a-wrong-password")}` },
    });
    expect(wrong.status).toBe(401);
    const denied = expect.objectContaining({ level: "warn", msg: expect.stringContaining("HTTP access denied") });
    await eventually(() => expect(stream.events).toContainEqual({ name: "log", data: denied }));
    const lines = await admin.read("/log");
    expect(lines).toContainEqual(denied);
    expect(JSON.stringify(lines)).not.toContain("a-wrong-password");
    const manager = await addUser(broker, "manager", ["monitoring"]);
    expect(await manager.get("/stream?log=true")).toMatchObject({ status: 401 });
  });

  it("refuses what makes no sense, too much, and too many", async () => {
    const many = Array.from({ length: 17 }, (_, n) => `/queues?n=${n}`);
    for (const query of [
      "watch=nothing",
      "watch=1",
      "watch=[1]",
      watching(...many),
      watching(`/${"x".repeat(2048)}`),
      "",
    ]) {
      expect([query.slice(0, 20), (await admin.get(`/stream?${query}`)).status]).toEqual([query.slice(0, 20), 400]);
    }
    expect((await admin.get(`/stream?${watching("/stream?log=true")}`)).body).toEqual(
      badRequest("a stream cannot be watched"),
    );
    await Promise.all(Array.from({ length: 100 }, () => Stream.open(watching("/whoami"))));
    expect((await admin.get(`/stream?${watching("/whoami")}`)).status).toBe(503);
    for (const stream of streams.splice(0)) stream.close();
    await eventually(async () => {
      const stream = await Stream.open(watching("/whoami"));
      await eventually(() => expect(stream.events).toHaveLength(1));
    });
  });
});
