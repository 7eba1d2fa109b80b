import { execFileSync, spawnSync } from "node:child_process";
import { beforeEach, describe, expect, it } from "vitest";
import { needsOwnBroker, useBroker } from "../support/broker.ts";
import { eventually } from "../support/wait-for.ts";
import { WireClient } from "../support/wire-client.ts";
import type { Fields } from "../support/wire-codec.ts";

/** Files that may not grow fail like a full disk: what waits for it shows. */
const canLimit = process.platform === "linux" && spawnSync("prlimit", ["--version"]).status === 0;

const broker = useBroker({ logLevel: "info" });

beforeEach(needsOwnBroker);

function filesMayGrow(may: boolean): void {
  execFileSync("prlimit", ["--pid", `${broker.pid}`, `--fsize=${may ? "unlimited" : "4096"}:`]);
}

/** How often the store could not write. */
function failures(): number {
  return broker.log().split("publishers are blocked until").length - 1;
}

/** Methods that change nothing on disk, with their channel, arguments and answer. */
const answered: readonly (readonly [method: string, fields: Fields, answer: string, channel: number])[] = [
  ["basic.qos", { "prefetch-count": 10 }, "basic.qos-ok", 1],
  ["queue.declare", { queue: "q", passive: true }, "queue.declare-ok", 1],
  ["basic.get", { queue: "empty" }, "basic.get-empty", 1],
  ["basic.get", { queue: "q" }, "basic.get-ok", 1],
  ["basic.consume", { queue: "empty" }, "basic.consume-ok", 1],
  ["tx.select", {}, "tx.select-ok", 1],
  ["channel.close", { "reply-code": 200 }, "channel.close-ok", 1],
  ["connection.close", { "reply-code": 200 }, "connection.close-ok", 0],
];

describe.skipIf(!canLimit)("acks are on disk (needs prlimit: apt-get install util-linux)", () => {
  it.each(answered)("before %s %j is answered by %s", async (method, fields, answer, channel) => {
    const client = await WireClient.open(broker);
    await client.openChannel();
    await client.call(1, "queue.declare", { queue: "empty", durable: true });
    await client.call(1, "queue.declare", { queue: "q", durable: true });
    await client.call(1, "queue.purge", { queue: "q" });
    await client.call(1, "tx.select");
    for (const body of ["acked", "kept"]) {
      client.publish(1, { exchange: "", "routing-key": "q" }, body, { "delivery-mode": 2 });
    }
    await client.call(1, "tx.commit");
    await client.call(1, "channel.close", { "reply-code": 200 });
    await client.openChannel();
    client.sendMethod(1, "basic.get", { queue: "q" });
    await client.expect("basic.get-ok");
    await client.nextContent();

    const before = failures();
    filesMayGrow(false);
    client.sendMethod(1, "basic.ack", { "delivery-tag": 1 });
    client.sendMethod(channel, method, fields);
    let isAnswered = false;
    const wanted = client.expect(answer).then(() => {
      isAnswered = true;
    });
    await eventually(() => expect(failures()).toBe(before + 1));
    expect(isAnswered).toBe(false);
    filesMayGrow(true);
    await wanted;
    client.destroy();
    await eventually(() => expect(broker.log().split("data is written again").length).toBe(before + 2));
  });
});
