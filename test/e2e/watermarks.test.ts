import { once } from "node:events";
import { beforeEach, describe, expect, it } from "vitest";
import { useAmqpClient } from "../support/amqp-client.ts";
import { needsOwnBroker, useBroker } from "../support/broker.ts";
import { Brokerctl } from "../support/brokerctl.ts";
import { asGuest } from "../support/management.ts";
import { freePort } from "../support/ports.ts";
import { scrape } from "../support/prometheus.ts";
import { eventually, within } from "../support/wait-for.ts";

const prometheusPort = await freePort();
const broker = useBroker({ args: ["--prometheus-port", String(prometheusPort)] });
const amqp = useAmqpClient(broker);
const brokerctl = new Brokerctl(broker, "in process");

beforeEach(needsOwnBroker);

const resources = [
  {
    alarm: "low on memory",
    field: "mem_alarm",
    resource: "memory",
    metric: "rabbitmq_alarms_memory_used_watermark",
    set: ["set_vm_memory_high_watermark", "absolute", "1MiB"],
    clear: ["set_vm_memory_high_watermark", "0.6"],
    limit: { mem_limit: 1_048_576 },
  },
  {
    alarm: "low on disk",
    field: "disk_free_alarm",
    resource: "disk space",
    metric: "rabbitmq_alarms_free_disk_space_watermark",
    set: ["set_disk_free_limit", "900000GB"],
    clear: ["set_disk_free_limit", "1MB"],
    limit: { disk_free_limit: 900_000_000_000_000 },
  },
] as const;

/** The alarms as Prometheus sees them. */
async function alarmMetrics(): Promise<Record<string, number>> {
  const exposition = await scrape(`http://127.0.0.1:${prometheusPort}/metrics`);
  return Object.fromEntries(resources.map(({ metric }) => [metric, exposition.value(metric)]));
}

async function node(): Promise<unknown> {
  const [row] = Object(await asGuest(broker).read("/nodes"));
  return row;
}

describe.each(resources)("a broker that is $alarm", ({ alarm, field, resource, metric, set, clear, limit }) => {
  it("blocks publishers, tells everybody, and goes on when there is room again", async () => {
    const connection = await amqp.connect();
    const channel = await amqp.confirmChannel(connection);
    const queue = await amqp.queue(channel);
    const noAlarm = Object.fromEntries(resources.map((each) => [each.metric, 0]));
    expect(await alarmMetrics()).toEqual(noAlarm);
    await brokerctl.out("-q", ...set);
    expect(await alarmMetrics()).toEqual({ ...noAlarm, [metric]: 1 });
    expect(await node()).toMatchObject({ [field]: true, ...limit });
    expect(await asGuest(broker).get("/health/checks/alarms")).toMatchObject({
      status: 503,
      body: { alarms: [{ resource }] },
    });
    const message = { properties: {}, routing_key: queue, payload: "x", payload_encoding: "string" };
    expect((await asGuest(broker).post("/exchanges/%2F/amq.default/publish", message)).status).toBe(503);

    const blocked = once(connection, "blocked");
    channel.sendToQueue(queue, Buffer.from("first"));
    channel.sendToQueue(queue, Buffer.from("second"));
    expect(await within(blocked, "connection.blocked")).toEqual([alarm]);
    const consumer = await amqp.channel();
    expect(await consumer.get("amq.rabbitmq.none", {}).catch(() => "served")).toBe("served");

    const unblocked = once(connection, "unblocked");
    await brokerctl.out("-q", ...clear);
    await within(unblocked, "connection.unblocked");
    await channel.waitForConfirms();
    expect((await channel.checkQueue(queue)).messageCount).toBe(2);
    expect(await node()).toMatchObject({ [field]: false });
    expect(await alarmMetrics()).toEqual(noAlarm);
    await eventually(() => expect(broker.log()).toContain(`"alarm":"${alarm}","msg":"alarm set`));
  });
});

describe("a limit", () => {
  it("may be relative to the memory there is", async () => {
    const total = Object(await node()).mem_limit / 0.6;
    await brokerctl.out("-q", "set_disk_free_limit", "mem_relative", "0.001");
    await brokerctl.out("-q", "set_vm_memory_high_watermark", "0.5");
    expect(Object(await node()).disk_free_limit).toBeCloseTo(total * 0.001, -3);
    expect(Object(await node()).mem_limit).toBeCloseTo(total * 0.5, -3);
  });

  it("that makes no sense changes nothing", async () => {
    const before = Object(await node()).mem_limit;
    expect(await brokerctl.run(["set_vm_memory_high_watermark", "much"])).toMatchObject({ exitCode: 69 });
    expect(await brokerctl.run(["set_vm_memory_high_watermark", "relative", "1"])).toMatchObject({ exitCode: 64 });
    expect(Object(await node()).mem_limit).toBe(before);
  });
});
