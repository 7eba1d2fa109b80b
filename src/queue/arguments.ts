import { BrokerError } from "../errors.ts";
import type { FieldTable, FieldValue } from "../field-table.ts";
import { nameBytesMax } from "../names.ts";

/** What a queue does, as its arguments say. Times in milliseconds, lengths in messages, sizes in bytes of bodies. */
export interface QueueOptions {
  readonly messageTtlMs: number | undefined;
  readonly expiresMs: number | undefined;
  readonly maxLength: number | undefined;
  readonly maxLengthBytes: number | undefined;
  readonly overflow: Overflow;
  readonly deadLetterExchange: string | undefined;
  readonly deadLetterRoutingKey: string | undefined;
  /** 0 when the queue has no priorities. */
  readonly maxPriority: number;
  /** The priority of messages that name none. */
  readonly defaultPriority: number;
  /** Messages outlive the broker as the queue does, those that are transient too. */
  readonly storesAll: boolean;
  /** One consumer at a time gets messages, the others stand by. */
  readonly singleActiveConsumer: boolean;
  /** Deliveries that may fail before a message is dead-lettered; undefined for any number, without counting. */
  readonly deliveryLimit: number | undefined;
  /** How long messages wait that were put back; undefined when they do not. */
  readonly delayedRetry: DelayedRetry | undefined;
  /** A message is kept until its dead letter has arrived somewhere. */
  readonly deadLettersAtLeastOnce: boolean;
  /** A delivery that is not settled in this time is released; undefined for any time. */
  readonly consumerTimeoutMs: number | undefined;
}

/** What the x-delayed-retry arguments say. */
export interface DelayedRetry {
  readonly of: "all" | "failed" | "returned";
  readonly minMs: number;
  readonly maxMs: number;
}

export type QueueType = "classic" | "quorum";

export type Overflow = "drop-head" | "reject-publish" | "reject-publish-dlx";

/** Ten years: the longest time to live or to expiry, as in RabbitMQ. */
export const expiryMsMax = 315_360_000_000;
const maxPriorityMax = 255;

/** The arguments that a redeclaration must repeat; RabbitMQ calls the rest unknown, keeps and ignores them. */
export const queueArguments = [
  "x-expires",
  "x-message-ttl",
  "x-dead-letter-exchange",
  "x-dead-letter-routing-key",
  "x-max-length",
  "x-max-length-bytes",
  "x-overflow",
  "x-max-priority",
  "x-queue-mode",
  "x-queue-type",
  "x-single-active-consumer",
  "x-queue-version",
  "x-delivery-limit",
  "x-dead-letter-strategy",
  "x-consumer-timeout",
  "x-delayed-retry-type",
  "x-delayed-retry-min",
  "x-delayed-retry-max",
  "x-quorum-initial-group-size",
  "x-queue-leader-locator",
  "x-queue-master-locator",
  "x-max-in-memory-length",
  "x-max-in-memory-bytes",
] as const;

/** The values of x-queue-type. */
export const queueTypes: readonly QueueType[] = ["classic", "quorum"];

const streamArguments = [
  "x-max-age",
  "x-stream-max-segment-size-bytes",
  "x-stream-filter-size-bytes",
  "x-initial-cluster-size",
];

/** What means something to other types of queue, and is refused by this one. */
const foreignArguments: Record<QueueType, readonly string[]> = {
  classic: [
    ...streamArguments,
    "x-dead-letter-strategy",
    "x-delayed-retry-type",
    "x-delayed-retry-min",
    "x-delayed-retry-max",
    "x-quorum-initial-group-size",
    "x-quorum-target-group-size",
    "x-max-in-memory-length",
    "x-max-in-memory-bytes",
  ],
  quorum: [...streamArguments, "x-max-priority", "x-queue-mode", "x-queue-version", "x-queue-master-locator"],
};

/** Whether an argument means something, but not to queues of this type, which refuse it. */
export function isForeign(type: QueueType, name: string): boolean {
  return foreignArguments[type].includes(name);
}

const locators = ["client-local", "balanced", "random", "least-leaders", "min-masters"];

/** What RabbitMQ 4 has for quorum queues that say nothing else. */
const quorumDeliveryLimit = 20;
/** Quorum queues always have priorities: these, and this for messages that name none. */
const quorumPriorityMax = 31;
const quorumPriorityDefault = 4;

/** Reads a queue's arguments. Throws PRECONDITION_FAILED; `queue` names it in the text, as queueText does. */
export function parseQueueArguments(args: FieldTable, queue: string): QueueOptions {
  const reader = new ArgumentReader(args, queue);
  reader.oneOf("x-queue-type", "queue type", queueTypes);
  const type = queueTypeOf(args);
  reader.refuse(type);
  reader.checkIdle();
  const options: QueueOptions = {
    expiresMs: reader.duration("x-expires", 1),
    messageTtlMs: reader.duration("x-message-ttl", 0),
    deadLetterExchange: reader.exchangeName("x-dead-letter-exchange"),
    deadLetterRoutingKey: reader.routingKey("x-dead-letter-routing-key"),
    maxLength: reader.count("x-max-length"),
    maxLengthBytes: reader.count("x-max-length-bytes"),
    overflow: reader.overflow("x-overflow"),
    maxPriority: type === "quorum" ? quorumPriorityMax : (reader.count("x-max-priority", maxPriorityMax) ?? 0),
    defaultPriority: type === "quorum" ? quorumPriorityDefault : 0,
    storesAll: type === "quorum",
    singleActiveConsumer: reader.flag("x-single-active-consumer"),
    deliveryLimit: reader.limit("x-delivery-limit", type === "quorum" ? quorumDeliveryLimit : undefined),
    delayedRetry: reader.delayedRetry(),
    deadLettersAtLeastOnce: reader.atLeastOnce("x-dead-letter-strategy"),
    consumerTimeoutMs: reader.count("x-consumer-timeout"),
  };
  if (options.deadLetterRoutingKey !== undefined && options.deadLetterExchange === undefined) {
    throw reader.invalid("x-dead-letter-routing-key", "routing_key_but_no_dlx_defined");
  }
  if (type === "quorum" && options.overflow === "reject-publish-dlx") return { ...options, overflow: "drop-head" };
  return options;
}

class ArgumentReader {
  readonly #args: FieldTable;
  readonly #queue: string;

  constructor(args: FieldTable, queue: string) {
    this.#args = args;
    this.#queue = queue;
  }

  invalid(name: string, reason: string): BrokerError {
    return new BrokerError("PRECONDITION_FAILED", `invalid arg '${name}' for ${this.#queue}: ${reason}`);
  }

  duration(name: string, least: 0 | 1): number | undefined {
    const value = this.#integer(name);
    if (value === undefined) return undefined;
    if (value === 0 && least === 1) throw this.invalid(name, "{value_zero,0}");
    if (value > expiryMsMax) throw this.invalid(name, `{value_too_large,${value}}`);
    return value;
  }

  count(name: string, most = Number.MAX_SAFE_INTEGER): number | undefined {
    const value = this.#integer(name);
    if (value !== undefined && value > most) throw this.invalid(name, `{max_value_exceeded,${value}}`);
    return value;
  }

  #integer(name: string): number | undefined {
    const field = this.#args.get(name);
    if (field === undefined) return undefined;
    if (!isInteger(field)) throw this.invalid(name, `"expected integer, got ${field.type}"`);
    if (field.value < 0) throw this.invalid(name, `{value_negative,${field.value}}`);
    return Number(field.value);
  }

  text(name: string): string | undefined {
    const field = this.#args.get(name);
    if (field === undefined) return undefined;
    if (field.type !== "longstr") throw this.invalid(name, `{unacceptable_type,${field.type}}`);
    return field.value.toString();
  }

  /** A longer one could not be written into a message. */
  routingKey(name: string): string | undefined {
    const key = this.text(name);
    const size = Buffer.byteLength(key ?? "");
    if (size > nameBytesMax) throw this.invalid(name, `{max_value_exceeded,${size}}`);
    return key;
  }

  exchangeName(name: string): string | undefined {
    const field = this.#args.get(name);
    if (field === undefined || field.type === "longstr") return field?.value.toString();
    throw new BrokerError("PRECONDITION_FAILED", `invalid type '${field.type}' for arg '${name}' in ${this.#queue}`);
  }

  flag(name: string): boolean {
    const field = this.#args.get(name);
    if (field === undefined) return false;
    if (field.type !== "bool") throw this.invalid(name, `{unacceptable_type,${field.type}}`);
    return field.value;
  }

  /** Refuses arguments that mean something, but not to this type of queue. */
  refuse(type: QueueType): void {
    const name = foreignArguments[type].find((each) => this.#args.has(each));
    if (name === undefined) return;
    const text = `invalid arg '${name}' for ${this.#queue} of queue type rabbit_${type}_queue`;
    throw new BrokerError("PRECONDITION_FAILED", text);
  }

  overflow(name: string): Overflow {
    const value = this.text(name);
    if (value === undefined) return "drop-head";
    if (value === "drop-head" || value === "reject-publish" || value === "reject-publish-dlx") return value;
    throw this.invalid(name, "invalid_overflow");
  }

  /** A number of which a negative one means that there is no limit. */
  limit(name: string, otherwise: number | undefined): number | undefined {
    const field = this.#args.get(name);
    if (field === undefined) return otherwise;
    if (!isInteger(field)) throw this.invalid(name, `"expected integer, got ${field.type}"`);
    return field.value < 0 ? undefined : Number(field.value);
  }

  delayedRetry(): DelayedRetry | undefined {
    const of = this.text("x-delayed-retry-type");
    const minMs = this.duration("x-delayed-retry-min", 0) ?? 0;
    const maxMs = this.duration("x-delayed-retry-max", 0) ?? expiryMsMax;
    if (of === undefined || of === "disabled") return undefined;
    if (of === "all" || of === "failed" || of === "returned") return { of, minMs, maxMs: Math.max(minMs, maxMs) };
    throw this.invalid("x-delayed-retry-type", "invalid_delayed_retry_type");
  }

  atLeastOnce(name: string): boolean {
    const value = this.text(name);
    if (value === undefined || value === "at-most-once") return false;
    if (value === "at-least-once") return true;
    throw this.invalid(name, "invalid_dlx_strategy");
  }

  /** What has no effect on one node must be right all the same. */
  checkIdle(): void {
    this.oneOf("x-queue-mode", "queue mode", ["default", "lazy"]);
    const version = this.count("x-queue-version");
    if (version !== undefined && version !== 1 && version !== 2) {
      throw this.invalid("x-queue-version", `"unsupported queue version '${version}'"`);
    }
    const locator = this.text("x-queue-leader-locator");
    if (locator !== undefined && !locators.includes(locator)) {
      throw this.invalid("x-queue-leader-locator", "invalid_queue_locator_arg");
    }
    for (const name of ["x-quorum-initial-group-size", "x-quorum-target-group-size"]) this.duration(name, 1);
    for (const name of ["x-max-in-memory-length", "x-max-in-memory-bytes"]) this.count(name);
  }

  oneOf(name: string, what: string, values: readonly string[]): void {
    const value = this.text(name);
    if (value === undefined || values.includes(value)) return;
    throw this.invalid(name, `"unsupported ${what} '${value}'"`);
  }
}

export type IntegerField = Extract<FieldValue, { value: number | bigint }>;

/** True for the types that RabbitMQ takes where it wants an integer. */
export function isInteger(field: FieldValue): field is IntegerField {
  switch (field.type) {
    case "byte":
    case "short":
    case "signedint":
    case "long":
    case "unsignedbyte":
    case "unsignedshort":
    case "unsignedint":
      return true;
    default:
      return false;
  }
}

/** The type that a queue is declared with; classic when it says nothing that is known. */
export function queueTypeOf(args: FieldTable): QueueType {
  const type = args.get("x-queue-type");
  return type?.type === "longstr" && type.value.toString() === "quorum" ? "quorum" : "classic";
}
