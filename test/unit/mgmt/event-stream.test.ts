import { describe, expect, it } from "vitest";
import { answer } from "../../../src/mgmt/call.ts";
import { EventStream } from "../../../src/mgmt/event-stream.ts";
import { notFound } from "../../../src/mgmt/refusal.ts";

/** What has been sent and not been read. */
function read(stream: EventStream): string {
  return String(stream.read() ?? "");
}

describe("a stream of events", () => {
  it("sends what is watched once, and again only when it is different", async () => {
    let value = 1;
    const stream = new EventStream([{ path: "/value", look: () => answer({ value }) }]);
    await stream.look();
    expect(read(stream)).toBe(':\n\nevent: answer\ndata: {"watch":"/value","status":200,"body":{"value":1}}\n\n');
    await stream.look();
    expect(read(stream)).toBe(":\n\n");
    value = 2;
    await stream.look();
    expect(read(stream)).toContain('"body":{"value":2}');
  });

  it("sends refusals as answers, and ends with an error that is none", async () => {
    const refusing = new EventStream([
      {
        path: "/gone",
        look: () => {
          throw notFound();
        },
      },
    ]);
    await refusing.look();
    expect(read(refusing)).toContain('"status":404,"body":{"error":"Object Not Found","reason":"Not Found"}');
    const failing = new EventStream([{ path: "/fault", look: () => Promise.reject(new Error("a fault")) }]);
    const failed = new Promise((resolve) => failing.once("error", resolve));
    await failing.look();
    expect(await failed).toEqual(new Error("a fault"));
  });

  it("ends when its client reads too slowly", async () => {
    const stream = new EventStream([]);
    const closed = new Promise((resolve) => stream.once("close", resolve));
    const line = JSON.stringify("x".repeat(100_000));
    for (let n = 0; n < 100 && !stream.destroyed; n++) stream.send("log", line);
    await closed;
    expect(stream.destroyed).toBe(true);
    await stream.look();
    stream.send("log", line);
  });

  it("does not end when its client reads", () => {
    const stream = new EventStream([]);
    const line = JSON.stringify("x".repeat(100_000));
    for (let n = 0; n < 100; n++) {
      stream.send("log", line);
      read(stream);
    }
    expect(stream.destroyed).toBe(false);
  });
});
