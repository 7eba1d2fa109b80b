/*
 * One publisher and one consumer on raw sockets against the built broker: messages a second from socket to socket, with
 * next to no cost in the clients. Deliveries are counted by their bytes, as all are of one size.
 */
import type { Socket } from "node:net";
import { startBroker, type TestBroker } from "../support/broker.ts";
import { frame, headerPayload } from "../support/messages.ts";
import { WireClient } from "../support/wire-client.ts";
import { encodeMethod } from "../support/wire-codec.ts";
import { methodNamed } from "../support/wire-methods.ts";

const seconds = 3;
/** Messages that are written at a time. */
const burst = 100;
/** Publishes that may be on their way to the consumer. */
const aheadMax = 20_000;

/** A client with channel 1 open, and its socket, whose bytes are ours from now on. */
async function open(broker: TestBroker, queue: string): Promise<Socket> {
  const client = await WireClient.open(broker);
  client.sendMethod(1, "channel.open", {});
  await client.expect("channel.open-ok");
  client.sendMethod(1, "queue.declare", { queue, durable: true });
  await client.expect("queue.declare-ok");
  return client.detach();
}

function publishBurst(queue: string, size: number, persistent: boolean): Buffer {
  const method = encodeMethod(methodNamed("basic.publish"), { "routing-key": queue });
  const header = headerPayload({ deliveryMode: persistent ? 2 : 1 }, size);
  const message = Buffer.concat([frame(1, 1, method), frame(2, 1, header), frame(3, 1, Buffer.alloc(size))]);
  return Buffer.concat(Array.from({ length: burst }, () => message));
}

/** Bytes of a basic.deliver of such a message, its tag of 8 bytes included. */
function deliverySize(queue: string, size: number): number {
  const fields = { "consumer-tag": "c", "delivery-tag": 1n, redelivered: false, exchange: "", "routing-key": queue };
  const method = encodeMethod(methodNamed("basic.deliver"), fields);
  return frame(1, 1, method).length + frame(2, 1, headerPayload({ deliveryMode: 1 }, size)).length + size + 8;
}

async function measure(broker: TestBroker, size: number, persistent: boolean): Promise<void> {
  const queue = `bench-${size}-${persistent}`;
  const [publisher, consumer] = [await open(broker, queue), await open(broker, queue)];
  const each = deliverySize(queue, size);
  let bytes = 0;
  let sent = 0;
  let paused: (() => void) | undefined;
  consumer.on("data", (chunk) => {
    bytes += chunk.length;
    if (sent - bytes / each < aheadMax) paused?.();
  });
  const consume = { queue, "consumer-tag": "c", "no-ack": true, nowait: true };
  consumer.write(frame(1, 1, encodeMethod(methodNamed("basic.consume"), consume)));
  const messages = publishBurst(queue, size, persistent);
  const start = performance.now();
  while (performance.now() - start < seconds * 1000) {
    sent += burst;
    const hasRoom = publisher.write(messages);
    if (!hasRoom) await new Promise((resolve) => publisher.once("drain", resolve));
    if (sent - bytes / each >= aheadMax) {
      await new Promise<void>((resolve) => {
        paused = resolve;
      });
      paused = undefined;
    }
  }
  const rate = Math.round(bytes / each / ((performance.now() - start) / 1000));
  const kind = persistent ? "persistent" : "transient";
  console.log(`${`${size} B ${kind}`.padEnd(34)} ${rate.toLocaleString("en").padStart(10)} msg/s`);
  publisher.destroy();
  consumer.destroy();
}

const broker = await startBroker();
for (const size of [16, 1024, 65_536]) for (const persistent of [false, true]) await measure(broker, size, persistent);
await broker.stop();
