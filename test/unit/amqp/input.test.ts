import { once } from "node:events";
import { type AddressInfo, connect, createServer, type Socket } from "node:net";
import { afterEach, describe, expect, it } from "vitest";
import { SocketInput } from "../../../src/protocol/amqp/input.ts";
import { eventually } from "../../support/wait-for.ts";

const sockets: Socket[] = [];

afterEach(() => {
  for (const socket of sockets.splice(0)) socket.destroy();
});

/** A client's socket, and the input of the broker's whose queues have all fallen behind: it is asked to rest after each chunk. */
async function restless(): Promise<{ readonly client: Socket; readonly seen: { bytes: number; rests: number } }> {
  const server = createServer({ pauseOnConnect: true }).listen(0, "127.0.0.1");
  await once(server, "listening");
  const accepting = once(server, "connection");
  const client = connect((server.address() as AddressInfo).port, "127.0.0.1");
  const [accepted] = await accepting;
  server.close();
  const seen = { bytes: 0, rests: 0 };
  const input: SocketInput = new SocketInput(accepted, {
    mustWait: false,
    bytesCame(chunk) {
      seen.bytes += chunk.length;
      input.rest();
      if (input.isHeld) seen.rests++;
    },
    waitOver() {},
  });
  sockets.push(client, input.socket);
  return { client, seen };
}

describe("a publisher whose messages pile up", () => {
  it("is not held up when it sends little at a time", async () => {
    const { client, seen } = await restless();
    for (let sent = 1; sent <= 60; sent++) {
      client.write(Buffer.alloc(1024));
      await eventually(() => expect(seen.bytes).toBe(sent * 1024));
    }
    expect(seen.rests).toBe(0);
  });

  it("rests for every 64 KiB or more, and is read on", async () => {
    const { client, seen } = await restless();
    const bytes = 10 * 1024 * 1024;
    client.write(Buffer.alloc(bytes));
    await eventually(() => expect(seen.bytes).toBe(bytes));
    // At most 128 KiB are read at a time.
    expect(seen.rests).toBeGreaterThanOrEqual(bytes / (192 * 1024));
    expect(seen.rests).toBeLessThanOrEqual(bytes / (64 * 1024));
  });
});
