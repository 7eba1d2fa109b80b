import { connect } from "amqplib";
import { describe, expect, it } from "vitest";
import { needsOwnBroker, startBroker } from "../support/broker.ts";
import { eventually } from "../support/wait-for.ts";
import { WireClient } from "../support/wire-client.ts";

describe("a clean shutdown", () => {
  it("tells every client with connection.close 320 and waits for no one", async (context) => {
    needsOwnBroker(context);
    const broker = await startBroker();
    const polite = await WireClient.open(broker);
    await polite.openChannel(1);
    const deaf = await WireClient.open(broker);
    const connection = await connect(broker.url);
    const closed: unknown[] = [];
    connection.on("error", (error) => closed.push(error));
    connection.on("close", (error) => closed.push(error));

    const stopped = broker.stop();
    expect(await polite.expect("connection.close")).toEqual({
      "reply-code": 320,
      "reply-text": "CONNECTION_FORCED - broker forced connection closure with reason 'shutdown'",
      "class-id": 0,
      "method-id": 0,
    });
    polite.sendMethod(0, "connection.close-ok");
    expect(await polite.next("the end")).toEqual({ type: "closed" });
    await deaf.expect("connection.close");
    expect(await deaf.next("the end")).toEqual({ type: "closed" });
    await eventually(() => expect(String(closed[0])).toContain("CONNECTION_FORCED"));
    await stopped;
  });

  it("ends in time while messages are on their way", async (context) => {
    needsOwnBroker(context);
    const broker = await startBroker();
    const connection = await connect(broker.url);
    connection.on("error", () => {});
    const channel = await connection.createConfirmChannel();
    await channel.assertQueue("busy", { durable: true });
    let confirmed = 0;
    await channel.consume("busy", (message) => message !== null && channel.ack(message));
    for (let index = 0; index < 5000; index++) {
      channel.sendToQueue("busy", Buffer.alloc(1000), { persistent: true }, (error) => {
        if (error === null) confirmed++;
      });
    }
    await eventually(() => expect(confirmed).toBeGreaterThan(0));
    await broker.stop();
  });

  it("leaves the port to the next one at once", async (context) => {
    needsOwnBroker(context);
    const broker = await startBroker();
    for (let round = 0; round < 3; round++) {
      await (await WireClient.open(broker)).close();
      await broker.restart();
    }
    await broker.stop();
  });
});
