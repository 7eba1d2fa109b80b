import { hostname } from "node:os";
import { expect, it } from "vitest";
import { useAmqpClient } from "../support/amqp-client.ts";
import { useBroker } from "../support/broker.ts";
import { addUser, asGuest } from "../support/management.ts";
import { describeWith, nagiosPlugins, type Outcome, runToEnd } from "../support/programs.ts";
import { eventually } from "../support/wait-for.ts";

const [critical, unknown] = [2, 3];

describeWith(nagiosPlugins(), "nagios-plugins-rabbitmq", () => {
  const broker = useBroker();
  const amqp = useAmqpClient(broker);
  const admin = asGuest(broker);

  function check(name: string, ...args: readonly string[]): Promise<Outcome> {
    const { hostname: host, port } = new URL(broker.managementUrl);
    return runToEnd(`check_rabbitmq_${name}`, ["-H", host, "--port", port, ...args]);
  }

  it("reads how many messages there are, and judges that", async () => {
    const channel = await amqp.confirmChannel();
    const queue = await amqp.queue(channel);
    for (let i = 0; i < 3; i++) channel.sendToQueue(queue, Buffer.from("x"));
    await channel.waitForConfirms();
    expect(await check("overview")).toMatchObject({
      exitCode: 0,
      stdout: expect.stringMatching(/OK - messages OK \(3\) messages_ready OK \(3\) messages_unacknowledged OK \(0\)/),
    });
    expect(await check("overview", "-w", "1,1,1", "-c", "2,2,2")).toMatchObject({ exitCode: critical });
    expect(await check("queue", "--vhost", "/", "--queue", queue)).toMatchObject({
      exitCode: 0,
      stdout: expect.stringContaining("messages OK (3)"),
    });
    expect(await check("queue", "--queue", queue, "-w", "1", "-c", "2")).toMatchObject({ exitCode: critical });
  });

  it("counts objects and connections, and whether these run", async () => {
    await amqp.connect();
    await eventually(async () => expect((await check("connections")).stdout).toContain("connections OK (1)"));
    const objects = await check("objects");
    // It counts from zero: one vhost, nine exchanges.
    expect(objects).toMatchObject({ exitCode: 0, stdout: expect.stringContaining("vhost=0;; exchange=8;;") });
  });

  it("sees what the node uses of what it has, and that it has no alarms and is not split", async () => {
    const node = ["--node", hostname().split(".")[0] ?? ""];
    const server = await check("server", ...node);
    expect(server).toMatchObject({ exitCode: 0 });
    for (const what of ["Memory", "Process", "FD", "Sockets"]) expect(server.stdout).toContain(`${what} OK`);
    expect(await check("watermark", ...node)).toMatchObject({ exitCode: 0 });
    expect(await check("partition", ...node)).toMatchObject({ exitCode: 0 });
    expect(await check("server", "--node", "elsewhere")).toMatchObject({ exitCode: unknown });
  });

  it("tests whether a vhost is alive", async () => {
    expect(await check("aliveness")).toMatchObject({ exitCode: 0, stdout: expect.stringContaining("vhost: /") });
    expect((await check("aliveness", "--vhost", "none")).exitCode).not.toBe(0);
  });

  it("works with a user who may only watch, and no other", async () => {
    await addUser(broker, "watcher", ["monitoring"]);
    expect(await check("overview", "-u", "watcher", "-p", "watcher-pw")).toMatchObject({ exitCode: 0 });
    expect((await check("overview", "-u", "watcher", "-p", "wrong")).exitCode).not.toBe(0);
    expect(await admin.read("/whoami")).toMatchObject({ name: "guest" });
  });
});
