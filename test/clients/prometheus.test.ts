import { beforeAll, expect, it } from "vitest";
import { send, useAmqpClient } from "../support/amqp-client.ts";
import { useBroker } from "../support/broker.ts";
import { freePort } from "../support/ports.ts";
import { describeWith, pythonWith, run } from "../support/programs.ts";

const port = await freePort();

describeWith(pythonWith("prometheus_client"), "Prometheus's client for Python", (python) => {
  const broker = useBroker({ args: ["--prometheus-port", String(port)] });
  const amqp = useAmqpClient(broker);

  beforeAll(async () => {
    const channel = await amqp.confirmChannel();
    for (const name of ["orders", 'odd "\\\n name']) {
      await channel.assertQueue(name);
      send(channel, name, ["1", "2"], { persistent: true });
      await channel.consume(name, (message) => message && channel.ack(message));
    }
    await channel.waitForConfirms();
  });

  it.each([
    "/metrics",
    "/metrics/per-object",
    "/metrics/detailed?family=queue_coarse_metrics&family=queue_metrics&family=channel_metrics&family=exchange_bindings",
  ])("reads %s", async (path) => {
    expect(Number(await run(python, ["prometheus_checks.py", `http://127.0.0.1:${port}${path}`]))).toBeGreaterThan(10);
  });
});
