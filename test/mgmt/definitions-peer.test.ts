import { execFile } from "node:child_process";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { connect } from "amqplib";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { unique } from "../support/amqp-client.ts";
import { parity, useBroker } from "../support/broker.ts";
import { as, asGuest, everything, type ManagementClient } from "../support/management.ts";

const peerUrl = process.env["RABBITMQ_PEER_URL"];
const isWanted = peerUrl !== undefined && !parity;

/** RabbitMQ's HTTP API is ten thousand above AMQP. */
function managementOf(url: string): string {
  const { hostname, port } = new URL(url);
  return `http://${hostname}:${Number(port || 5672) + 10_000}`;
}

const peer = { managementUrl: managementOf(peerUrl ?? "amqp://localhost"), url: peerUrl ?? "" };
const there = asGuest(peer);
const [peerCommand = "", ...peerArgs] = (process.env["RABBITMQ_PEER_CTL"] ?? "").split(" ");
const broker = useBroker({ args: ["--password-hashing", "rabbit_password_hashing_sha256"] });
const here = asGuest(broker);
const vhost = unique("definitions");
const user = unique("user");

/** A request that must succeed; RabbitMQ asks for the content type with some of them. */
async function must(on: ManagementClient, method: string, path: string, body: unknown): Promise<void> {
  const answer = await on.request(method, path, { body, headers: { "content-type": "application/json" } });
  if (answer.status >= 300)
    throw new Error(`${method} ${path} answered ${answer.status}: ${JSON.stringify(answer.body)}`);
}

/** One of all that can be defined in a vhost, and a user who may use it. */
async function define(on: ManagementClient): Promise<void> {
  // 3.10 exports nothing of a vhost but its name.
  await must(on, "PUT", `/vhosts/${vhost}`, {});
  await must(on, "PUT", `/users/${user}`, { password: "pässwört", tags: "management" });
  await must(on, "PUT", `/permissions/${vhost}/${user}`, everything);
  await must(on, "PUT", `/topic-permissions/${vhost}/${user}`, {
    exchange: "amq.topic",
    write: "^{username}",
    read: ".*",
  });
  await must(on, "PUT", `/exchanges/${vhost}/x`, {
    type: "headers",
    durable: true,
    arguments: { "alternate-exchange": "y" },
  });
  await must(on, "PUT", `/exchanges/${vhost}/y`, { type: "fanout", durable: true, internal: true });
  const limits = { "x-message-ttl": 5000, "x-max-length": 10, "x-dead-letter-exchange": "y" };
  await must(on, "PUT", `/queues/${vhost}/classic`, { durable: true, arguments: limits });
  await must(on, "PUT", `/queues/${vhost}/quorum`, { durable: true, arguments: { "x-queue-type": "quorum" } });
  await must(on, "POST", `/bindings/${vhost}/e/x/q/classic`, {
    routing_key: "",
    arguments: { "x-match": "any", n: 1 },
  });
  await must(on, "POST", `/bindings/${vhost}/e/x/e/y`, { routing_key: "k", arguments: {} });
  const policy = { pattern: "^c", definition: { "max-length": 5 }, priority: 3, "apply-to": "queues" };
  await must(on, "PUT", `/policies/${vhost}/mine`, policy);
  await must(on, "PUT", `/operator-policies/${vhost}/theirs`, { ...policy, definition: { "message-ttl": 9 } });
  await must(on, "PUT", `/vhost-limits/${vhost}/max-queues`, { value: 9 });
}

/** What RabbitMQ's HTTP API, or this broker's, exports. */
async function exported(from: ManagementClient): Promise<unknown> {
  return await from.read("/definitions");
}

/** What rabbitmqctl exports, which writes some objects in other ways, and leaves out internal exchanges. */
async function exportedByCommand(): Promise<unknown> {
  await there.must("DELETE", `/exchanges/${vhost}/y`);
  const directory = await mkdtemp(join(tmpdir(), "tsbroker-definitions-"));
  try {
    const file = join(directory, "definitions.json");
    await promisify(execFile)(peerCommand, [...peerArgs, "export_definitions", file]);
    return JSON.parse(await readFile(file, "utf8"));
  } finally {
    await rm(directory, { recursive: true });
  }
}

/** A document without what is of others on its broker. */
function ofThisRun(document: unknown): Record<string, readonly object[]> {
  const all = Object(document);
  const ours = (row: object) =>
    [Reflect.get(row, "vhost"), Reflect.get(row, "name")].some((n) => n === vhost || n === user);
  const kinds = [
    "users",
    "vhosts",
    "permissions",
    "topic_permissions",
    "parameters",
    "policies",
    "queues",
    "exchanges",
    "bindings",
  ];
  return Object.fromEntries(kinds.map((kind) => [kind, Array.from<object>(all[kind]).filter(ours)]));
}

const listed = [
  "vhosts",
  "permissions",
  "topic-permissions",
  "policies",
  "operator-policies",
  "vhost-limits",
  "queues",
  "exchanges",
  "bindings",
];

/** What there is of the vhost, as far as both brokers say it alike. */
async function contents(on: ManagementClient): Promise<unknown> {
  const kept = ["name", "type", "durable", "auto_delete", "internal", "arguments", "configure", "write"];
  const more = ["read", "exchange", "pattern", "apply-to", "definition", "priority", "value", "source", "destination"];
  const fields = [...kept, ...more, "routing_key", "destination_type"];
  const rows = await Promise.all(
    listed.map(async (kind) =>
      Array.from<object>(Object(await on.read(`/${kind}`))).filter((row) => isOfVhost(kind, row)),
    ),
  );
  const known = (row: object) => Object.fromEntries(fields.map((name) => [name, Reflect.get(row, name)]));
  return rows.map((all) => all.map(known).sort((a, b) => nameOf(a).localeCompare(nameOf(b))));
}

/** What rows are told apart by. */
function nameOf(row: object): string {
  return ["name", "source", "destination", "routing_key"].map((field) => Reflect.get(row, field)).join(" ");
}

function isOfVhost(kind: string, row: object): boolean {
  return Reflect.get(row, kind === "vhosts" ? "name" : "vhost") === vhost;
}

async function clear(on: ManagementClient): Promise<void> {
  await on.delete(`/vhosts/${vhost}`);
  await on.delete(`/users/${user}`);
}

describe.skipIf(!isWanted)("definitions go from one broker to the other and back", () => {
  const ways = [
    ["from RabbitMQ to here", there, here, () => broker, () => exported(there)],
    ["from RabbitMQ by rabbitmqctl to here", there, here, () => broker, exportedByCommand],
    ["from here to RabbitMQ", here, there, () => peer, () => exported(here)],
  ] as const;

  beforeAll(async () => {
    await clear(there);
  });

  afterAll(async () => {
    await clear(there);
  });

  it.each(ways)("%s: all is there, and users log in with their passwords", async (_way, from, to, target, document) => {
    await define(from);
    await must(to, "POST", "/definitions", ofThisRun(await document()));
    expect(await contents(to)).toEqual(await contents(from));
    expect(await as(target(), user, "pässwört").read("/whoami")).toMatchObject({ name: user, tags: ["management"] });
    const { hostname, port } = new URL(target().url);
    const login = {
      protocol: "amqp",
      hostname,
      port: Number(port || 5672),
      username: user,
      password: "pässwört",
      vhost,
    };
    await (await connect(login)).close();
    await clear(from);
    await clear(to);
  });
});
