// The quiet pair in a thread of its own, so that what is measured is the broker and not the abuser's busy loop. In
// JavaScript, as Node 20 runs nothing else in a thread.
import { setTimeout as later } from "node:timers/promises";
import { parentPort, workerData } from "node:worker_threads";
import { connect } from "amqplib";

/** How long the pair rests between two messages. */
const restMs = 5;

const connections = [await connect(workerData), await connect(workerData)];
const [publisher, consumer] = await Promise.all(connections.map((connection) => connection.createChannel()));
const { queue } = await consumer.assertQueue("quiet", { durable: false });
let arrived = () => {};
await consumer.consume(queue, () => arrived(), { noAck: true });
let isOver = false;
parentPort.once("message", () => {
  isOver = true;
});
while (!isOver) {
  const arrival = new Promise((resolve) => {
    arrived = resolve;
  });
  const from = performance.now();
  publisher.sendToQueue(queue, Buffer.from("quiet"));
  await arrival;
  parentPort.postMessage(performance.now() - from);
  await later(restMs);
}
for (const connection of connections) await connection.close();
