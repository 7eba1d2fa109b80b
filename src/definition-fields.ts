import { BrokerError } from "./errors.ts";
import type { ExchangeProperties } from "./exchange/exchange.ts";
import { exchangeTypes } from "./exchange/exchange-types.ts";
import type { FieldTable } from "./field-table.ts";
import type { JsonObject } from "./json-object.ts";
import { checkNameSize, queueText } from "./names.ts";
import { type HashingAlgorithm, hashPassword, isHashingAlgorithm, rabbitmqAlgorithm } from "./passwords.ts";
import { compilePattern } from "./patterns.ts";
import { expandTopicPattern, type Permission, type TopicPermission } from "./permissions.ts";
import { checkPolicy, type Policy } from "./policies.ts";
import { parseQueueArguments, queueTypes } from "./queue/arguments.ts";
import type { BindingDefinition } from "./store/store.ts";
import { checkAlternate, checkQuorum } from "./topology.ts";
import { checkUser, type User } from "./users.ts";
import type { VhostProperties } from "./vhost.ts";
import { newVhost } from "./vhosts.ts";

/** Definitions in JSON, under RabbitMQ's names, into what they mean here. All throw PRECONDITION_FAILED. */

/** A user as a document describes one; a password is yet to be hashed. */
export interface GivenUser extends User {
  readonly password: string | undefined;
}

/** A user: with a password, the hash of one, or neither. `hashing` is for passwords that come without a word of that. */
export function userFrom(name: string, fields: JsonObject, hashing: HashingAlgorithm): GivenUser {
  const tags = fields.findWords("tags");
  if (tags === undefined) throw invalid("tags_not_present");
  const user = { name, ...credentialsFrom(fields, hashing), tags };
  checkUser(user);
  return user;
}

/** The user with the password hashed. */
export async function withHash({ password, ...user }: GivenUser): Promise<User> {
  if (password === undefined || !isHashingAlgorithm(user.hashingAlgorithm)) return user;
  return { ...user, passwordHash: await hashPassword(password, user.hashingAlgorithm) };
}

function credentialsFrom(fields: JsonObject, hashing: HashingAlgorithm): Omit<GivenUser, "name" | "tags"> {
  const password = fields.findText("password");
  const passwordHash = fields.findText("password_hash");
  if (password !== undefined && passwordHash !== undefined) {
    throw invalid("both_password_and_password_hash_are_provided");
  }
  const otherwise = password === undefined ? rabbitmqAlgorithm : hashing;
  const hashingAlgorithm = fields.findText("hashing_algorithm") ?? otherwise;
  return { password, passwordHash: passwordHash ?? "", hashingAlgorithm };
}

const protection = "protected_from_deletion";

/** What is said of a vhost; what is not said stays as it was before. */
export function vhostFrom(fields: JsonObject, before: VhostProperties = newVhost): VhostProperties {
  return {
    description: fields.findText("description") ?? before.description,
    tags: fields.findWords("tags") ?? before.tags,
    defaultQueueType: queueTypeFrom(fields) ?? before.defaultQueueType,
    protectedFromDeletion: fields.has(protection) ? fields.flag(protection) : before.protectedFromDeletion,
  };
}

function queueTypeFrom(fields: JsonObject): string | undefined {
  const type = fields.findText("default_queue_type");
  if (type === undefined || type === "" || type === "undefined") return undefined;
  if (queueTypes.some((each) => each === type)) return type;
  throw invalid(`unsupported default queue type '${type}'`);
}

export function permissionFrom(vhost: string, user: string, fields: JsonObject): Permission {
  fields.require("configure", "write", "read");
  const [configure, write, read] = [fields.text("configure"), fields.text("write"), fields.text("read")];
  for (const pattern of [configure, write, read]) compilePattern(pattern);
  return { vhost, user, configure, write, read };
}

export function topicPermissionFrom(vhost: string, user: string, fields: JsonObject): TopicPermission {
  fields.require("exchange", "write", "read");
  const [write, read] = [fields.text("write"), fields.text("read")];
  for (const pattern of [write, read]) compilePattern(expandTopicPattern(pattern, user, vhost));
  return { vhost, user, exchange: fields.text("exchange"), write, read };
}

export function policyFrom(operator: boolean, vhost: string, name: string, fields: JsonObject): Policy {
  checkNameSize("policy", name);
  fields.require("pattern", "definition");
  const policy = {
    operator,
    vhost,
    name,
    pattern: fields.text("pattern"),
    applyTo: fields.findText("apply-to") ?? "all",
    priority: fields.findInteger("priority") ?? 0,
    rules: fields.table("definition"),
  };
  checkPolicy(policy);
  return policy;
}

/** What a queue is declared with. */
export interface QueueFields {
  readonly durable: boolean;
  readonly autoDelete: boolean;
  readonly arguments: FieldTable;
}

export function queueFrom(vhost: string, name: string, fields: JsonObject): QueueFields {
  checkNameSize("queue", name);
  const args = withType(fields.table("arguments"), fields.findText("type"));
  parseQueueArguments(args, queueText(name, vhost));
  const queue = { durable: fields.flag("durable"), autoDelete: fields.flag("auto_delete"), arguments: args };
  checkQuorum(vhost, { name, exclusive: false, ...queue });
  return queue;
}

/** Newer exports name a queue's type beside its arguments; clients in Go send an empty one for none. */
function withType(args: FieldTable, type: string | undefined): FieldTable {
  if (type === undefined || type === "" || type === "classic" || args.has("x-queue-type")) return args;
  return new Map(args).set("x-queue-type", { type: "longstr", value: type });
}

export function exchangeFrom(vhost: string, name: string, fields: JsonObject): ExchangeProperties {
  checkNameSize("exchange", name);
  const type = fields.findText("type") ?? "direct";
  if (!exchangeTypes.includes(type)) throw invalid(`unknown exchange type '${type}'`);
  const exchange = {
    name,
    type,
    durable: fields.flag("durable"),
    autoDelete: fields.flag("auto_delete"),
    internal: fields.flag("internal"),
    arguments: fields.table("arguments"),
  };
  checkAlternate(vhost, exchange);
  return exchange;
}

export function bindingFrom(vhost: string, fields: JsonObject): BindingDefinition {
  const destinationKind = fields.require("source", "destination", "destination_type").text("destination_type");
  if (destinationKind !== "queue" && destinationKind !== "exchange") {
    throw invalid(`unknown destination type '${destinationKind}'`);
  }
  const routingKey = fields.findText("routing_key") ?? "";
  checkNameSize("routing key", routingKey);
  const [source, destination] = [fields.text("source"), fields.text("destination")];
  return {
    kind: "binding",
    vhost,
    source,
    destinationKind,
    destination,
    routingKey,
    arguments: fields.table("arguments"),
  };
}

function invalid(detail: string): BrokerError {
  return new BrokerError("PRECONDITION_FAILED", detail);
}
