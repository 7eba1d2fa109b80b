import { connect } from "amqplib";
import { describe, expect, it } from "vitest";
import { useBroker } from "../support/broker.ts";
import { WireClient } from "../support/wire-client.ts";

const broker = useBroker();

describe("heartbeats", () => {
  it("are offered every minute", async () => {
    const client = await WireClient.connect(broker);
    expect((await client.tune()).tune).toEqual({ "channel-max": 2047, "frame-max": 131_072, heartbeat: 60 });
    client.destroy();
  });

  it("come from the broker when it has nothing else to say", async () => {
    const client = await WireClient.open(broker, { heartbeat: 1 });
    for (let beat = 0; beat < 2; beat++) {
      expect(await client.nextFrame("a heartbeat")).toEqual({ type: "heartbeat", channel: 0 });
      client.sendHeartbeat();
    }
    await client.close();
  });

  it("keep a connection that sends them while one that is silent is dropped", async () => {
    const beating = await connect(`${broker.url}?heartbeat=1`);
    const silent = await WireClient.open(broker, { heartbeat: 1 });
    expect(await silent.next("the end")).toEqual({ type: "closed" });
    await (await beating.createChannel()).checkExchange("amq.direct");
    await beating.close();
  });

  it("are not missed while any other frame comes", async () => {
    const busy = await WireClient.open(broker, { heartbeat: 1 });
    await busy.openChannel(1);
    const silent = await WireClient.open(broker, { heartbeat: 1 });
    const dropped = silent.next("the end");
    let done = false;
    const finish = () => {
      done = true;
    };
    dropped.then(finish, finish);
    while (!done) {
      const frame = await busy.nextFrame("a heartbeat or a reply");
      expect(frame.type).not.toBe("closed");
      if (frame.type === "heartbeat") busy.sendMethod(1, "basic.qos");
    }
    expect(await dropped).toEqual({ type: "closed" });
    await busy.close();
  });

  it("are not sent when they are switched off", async () => {
    const off = await WireClient.open(broker, { heartbeat: 0 });
    const silent = await WireClient.open(broker, { heartbeat: 1 });
    expect(await silent.next("the end")).toEqual({ type: "closed" });
    await off.openChannel(1);
    off.sendMethod(1, "basic.qos", {});
    expect(await off.nextFrame("the reply alone")).toMatchObject({ type: "method", name: "basic.qos-ok" });
    await off.close();
  });
});
