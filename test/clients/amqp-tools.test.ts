import { afterEach, expect, it } from "vitest";
import { useAmqpClient } from "../support/amqp-client.ts";
import { useBroker } from "../support/broker.ts";
import { amqpTools, Companion, describeWith, run, runToEnd } from "../support/programs.ts";
import { eventually } from "../support/wait-for.ts";

describeWith(amqpTools(), "amqp-tools", () => {
  const broker = useBroker();
  const client = useAmqpClient(broker);
  const companions: Companion[] = [];

  const tool = (name: string, args: string[], input = "") => run(name, ["--url", broker.url, ...args], { input });

  afterEach(async () => {
    for (const companion of companions.splice(0)) await companion.kill9();
  });

  it("declares a queue, publishes, gets and deletes", async () => {
    const queue = client.queueName();
    expect(await tool("amqp-declare-queue", ["-d", "-q", queue])).toBe(`${queue}\n`);
    await tool("amqp-publish", ["-r", queue, "-p", "-b", "from the argument"]);
    await tool("amqp-publish", ["-r", queue], "from standard input");
    expect(await tool("amqp-get", ["-q", queue])).toBe("from the argument");
    expect(await tool("amqp-get", ["-q", queue])).toBe("from standard input");
    expect(await runToEnd("amqp-get", ["--url", broker.url, "-q", queue])).toMatchObject({ exitCode: 2, stdout: "" });
    expect(await tool("amqp-delete-queue", ["-q", queue])).toBe("0\n");
  });

  it("names a queue by itself", async () => {
    const name = (await tool("amqp-declare-queue", ["-q", ""])).trim();
    expect(name).toMatch(/^amq\.gen-[A-Za-z0-9_-]{22}$/);
    expect(await tool("amqp-delete-queue", ["-q", name])).toBe("0\n");
  });

  it("publishes each line by itself, and consumes as many as it was told to", async () => {
    const channel = await client.channel();
    const queue = await client.queue(channel);
    await tool("amqp-publish", ["-r", queue, "-l"], "one\ntwo\nthree\n");
    expect(await tool("amqp-consume", ["-q", queue, "-c", "2", "cat"])).toBe("one\ntwo\n");
    expect((await channel.checkQueue(queue)).messageCount).toBe(1);
  });

  it("binds a queue of its own to an exchange and runs a program for each message", async () => {
    const channel = await client.channel();
    const exchange = await client.exchange(channel, "topic");
    const args = ["--url", broker.url, "-e", exchange, "-r", "log.#", "-c", "2", "--", "sh", "-c", "cat; echo"];
    const consumer = new Companion("amqp-consume", args);
    companions.push(consumer);
    const publisher = await client.confirmChannel();
    let returned = true;
    publisher.on("return", () => {
      returned = true;
    });
    // As long as nothing is bound, the message comes back.
    await eventually(async () => {
      consumer.check();
      returned = false;
      publisher.publish(exchange, "log.first", Buffer.from("first"), { mandatory: true });
      await publisher.waitForConfirms();
      expect(returned).toBe(false);
    });
    await tool("amqp-publish", ["-e", exchange, "-r", "other", "-b", "not for it"]);
    await tool("amqp-publish", ["-e", exchange, "-r", "log.second", "-b", "second"]);
    await eventually(() => expect(consumer.output).toMatch(/first\nsecond\n$/));
  });

  it("sends headers and properties", async () => {
    const channel = await client.channel();
    const queue = await client.queue(channel);
    const flags = ["-p", "-C", "text/plain", "-E", "utf-8", "-t", "answers", "-H", "colour: green"];
    await tool("amqp-publish", ["-r", queue, "-b", "x", ...flags]);
    expect(await channel.get(queue, { noAck: true })).toMatchObject({
      properties: {
        contentType: "text/plain",
        contentEncoding: "utf-8",
        deliveryMode: 2,
        replyTo: "answers",
        headers: { colour: "green" },
      },
    });
  });

  it("says what was refused", async () => {
    const queue = client.queueName();
    const outcome = await runToEnd("amqp-get", ["--url", broker.url, "-q", queue]);
    expect(outcome.exitCode).toBe(1);
    expect(outcome.stderr).toContain(`NOT_FOUND - no queue '${queue}' in vhost '/'`);
  });
});
