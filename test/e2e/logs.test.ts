import { once } from "node:events";
import { createConnection } from "node:net";
import { connect } from "amqplib";
import { describe, expect, it } from "vitest";
import { useBroker } from "../support/broker.ts";
import { asGuest } from "../support/management.ts";
import { eventually } from "../support/wait-for.ts";
import { WireClient } from "../support/wire-client.ts";

const broker = useBroker({ logLevel: "info", args: ["--log-levels", "channel=error"] });

/** Everything that was logged so far. Throws when a line is no JSON. */
function logged(): readonly Record<string, unknown>[] {
  return broker
    .log()
    .split("\n")
    .filter((line) => line !== "")
    .map((line) => ({ ...JSON.parse(line) }));
}

/** The line that says how the connection of a name ended. */
async function closeOf(connection: unknown): Promise<Record<string, unknown>> {
  return await eventually(() => {
    const found = logged().find((line) => line["msg"] === "connection closed" && line["connection"] === connection);
    expect(found).toBeDefined();
    return found ?? {};
  });
}

/** Connects, and returns the name that the log has for the connection. */
async function opened() {
  const before = logged().length;
  const connection = await connect(broker.url);
  connection.on("error", () => undefined);
  return { connection, name: await nameOpenedSince(before) };
}

async function openedByHand(options?: { readonly heartbeat: number }) {
  const before = logged().length;
  const client = await WireClient.open(broker, options);
  return { client, name: await nameOpenedSince(before) };
}

function nameOpenedSince(line: number): Promise<unknown> {
  return eventually(() => {
    const found = logged()
      .slice(line)
      .find(({ msg }) => msg === "connection open");
    expect(found).toBeDefined();
    return found?.["connection"];
  });
}

describe("the end of a connection", () => {
  it("says that the client closed it", async () => {
    const { connection, name } = await opened();
    await connection.close();
    expect(await closeOf(name)).toMatchObject({
      level: "info",
      area: "connection",
      user: "guest",
      vhost: "/",
      seconds: expect.any(Number),
      why: "client closed it",
    });
  });

  it("says which operator closed it, and with which reason", async () => {
    const { name } = await opened();
    await asGuest(broker).request("DELETE", `/connections/${encodeURIComponent(String(name))}`, {
      headers: { "x-reason": "maintenance" },
    });
    expect(await closeOf(name)).toMatchObject({ user: "guest", why: expect.stringContaining("maintenance") });
  });

  it("is not worth a line where the client has said nothing", async () => {
    const probe = createConnection({ host: broker.host, port: broker.port });
    await once(probe, "connect");
    const name = `127.0.0.1:${probe.localPort} -> 127.0.0.1:${broker.port}`;
    probe.destroy();
    const after = await opened();
    await after.connection.close();
    await closeOf(after.name);
    expect(logged().filter(({ connection }) => connection === name)).toEqual([]);
  });

  it("says what the client did wrong", async () => {
    const { client, name } = await openedByHand();
    client.sendMethod(0, "connection.open", { virtualHost: "/" });
    await client.expect("connection.close");
    client.sendMethod(0, "connection.close-ok");
    expect(await closeOf(name)).toMatchObject({ user: "guest", why: expect.stringMatching(/^CHANNEL_ERROR - /) });
  });

  it("says that the client has gone without a word", async () => {
    const { client, name } = await openedByHand();
    client.destroy();
    expect(await closeOf(name)).toMatchObject({ level: "warn", why: "client closed the socket" });
  });

  it("has the name that the client gave itself", async () => {
    const before = logged().length;
    const connection = await connect(broker.url, { clientProperties: { connection_name: "billing" } });
    const name = await nameOpenedSince(before);
    await connection.close();
    expect(await closeOf(name)).toMatchObject({ name: "billing" });
  });
});

describe("the end of a connection whose client fell silent", () => {
  it("says that heartbeats were missed, how often they were agreed on, and how long it lasted", async () => {
    const { name } = await openedByHand({ heartbeat: 1 });
    const line = await closeOf(name);
    expect(line).toMatchObject({
      ...{ level: "warn", area: "connection", user: "guest", vhost: "/" },
      why: "missed heartbeats from client, timeout: 1s",
    });
    // Two intervals are let pass.
    expect(Number(line["seconds"])).toBeGreaterThan(2);
  });
});

describe("the levels of the log", () => {
  it("are those of its areas, and change while the broker runs", async () => {
    const node = encodeURIComponent(String(Object(await asGuest(broker).read("/overview")).node));
    const levels = `/nodes/${node}/log-levels`;
    expect(await asGuest(broker).read(levels)).toEqual({
      level: "info",
      connection: "info",
      channel: "error",
      queue: "info",
      management: "info",
    });
    await asGuest(broker).must("PUT", levels, { level: "error", area: "connection" });
    const before = logged().length;
    await (await connect(broker.url)).close();
    await asGuest(broker).must("PUT", "/vhosts/logged");
    await eventually(() => expect(logged().slice(before)).toContainEqual(expect.objectContaining({ vhost: "logged" })));
    expect(logged().slice(before)).not.toContainEqual(expect.objectContaining({ area: "connection" }));
    await asGuest(broker).must("PUT", levels, { level: "info" });
    expect(await asGuest(broker).read(levels)).toMatchObject({ connection: "info", channel: "info" });
    expect((await asGuest(broker).put(levels, { level: "loud" })).status).toBe(400);
    expect((await asGuest(broker).put(levels, { level: "info", area: "nowhere" })).status).toBe(400);
  });
});
