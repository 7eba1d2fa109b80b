import { describe, expect, it } from "vitest";
import { useBroker } from "../support/broker.ts";
import { differs } from "../support/differences.ts";
import { useRefusalBench } from "../support/refusals.ts";

const broker = useBroker();
const bench = useRefusalBench(broker);

describe("after the broker closed a channel", () => {
  it("what the client still sends on it is ignored until it answers", async () => {
    bench.wire.publish(1, { exchange: bench.exchange }, "refused");
    bench.wire.publish(1, { exchange: bench.exchange }, "ignored");
    bench.wire.sendMethod(1, "queue.declare", { queue: bench.queue });
    await bench.wire.expect("channel.close");
    bench.wire.sendMethod(1, "channel.close-ok");
    await bench.wire.openChannel(1);
    bench.wire.sendMethod(1, "queue.declare", { queue: bench.queue, passive: true });
    expect(await bench.wire.expect("channel.close")).toMatchObject({ "reply-code": 404 });
  });

  it("a close of the client's own that crosses it is answered", async () => {
    bench.wire.publish(1, { exchange: bench.exchange }, "refused");
    bench.wire.sendMethod(1, "channel.close");
    await bench.wire.expect("channel.close");
    await bench.wire.expect("channel.close-ok");
    bench.wire.sendMethod(1, "channel.close-ok");
    await bench.wire.openChannel(1);
  });
});

describe("a reply text longer than a short string", () => {
  it("is cut to 252 bytes and three dots", async () => {
    bench.wire.sendMethod(1, "queue.purge", { queue: "q".repeat(255) });
    const text = `NOT_FOUND - no queue '${"q".repeat(255)}`;
    expect((await bench.wire.expect("channel.close"))["reply-text"]).toBe(`${text.slice(0, 252)}...`);
  });

  it("is cut at the end of a character", async (context) => {
    differs(context, "reply text");
    bench.wire.sendMethod(1, "queue.purge", { queue: `a${"ü".repeat(120)}` });
    const text = String((await bench.wire.expect("channel.close"))["reply-text"]);
    expect(text).toMatch(/^NOT_FOUND - no queue 'aü+\.\.\.$/);
    expect(Buffer.byteLength(text)).toBeLessThanOrEqual(255);
  });
});
