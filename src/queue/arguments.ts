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
  /** One consumer at a time gets messages, the others stand by. */
  readonly singleActiveConsumer: boolean;
}

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
] as const;

/** The values of x-queue-type. */
export const queueTypes = ["classic", "quorum"] as const;

const streamArguments = [
  "x-max-age",
  "x-stream-max-segment-size-bytes",
  "x-stream-filter-size-bytes",
  "x-initial-cluster-size",
];

/** Reads a queue's arguments. Throws PRECONDITION_FAILED; `queue` names it in the text, as queueText does. */
export function parseQueueArguments(args: FieldTable, queue: string): QueueOptions {
  const reader = new ArgumentReader(args, queue);
  reader.refuse(streamArguments);
  const options: QueueOptions = {
    expiresMs: reader.duration("x-expires", 1),
    messageTtlMs: reader.duration("x-message-ttl", 0),
    deadLetterExchange: reader.exchangeName("x-dead-letter-exchange"),
    deadLetterRoutingKey: reader.routingKey("x-dead-letter-routing-key"),
    maxLength: reader.count("x-max-length"),
    maxLengthBytes: reader.count("x-max-length-bytes"),
    overflow: reader.overflow("x-overflow"),
    maxPriority: reader.count("x-max-priority", maxPriorityMax) ?? 0,
    singleActiveConsumer: reader.flag("x-single-active-consumer"),
  };
  reader.oneOf("x-queue-type", "queue type", queueTypes);
  reader.oneOf("x-queue-mode", "queue mode", ["default", "lazy"]);
  if (options.deadLetterRoutingKey !== undefined && options.deadLetterExchange === undefined) {
    throw reader.invalid("x-dead-letter-routing-key", "routing_key_but_no_dlx_defined");
  }
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
  refuse(names: readonly string[]): void {
    const name = names.find((each) => this.#args.has(each));
    if (name === undefined) return;
    const text = `invalid arg '${name}' for ${this.#queue} of queue type rabbit_classic_queue`;
    throw new BrokerError("PRECONDITION_FAILED", text);
  }

  overflow(name: string): Overflow {
    const value = this.text(name);
    if (value === undefined) return "drop-head";
    if (value === "drop-head" || value === "reject-publish" || value === "reject-publish-dlx") return value;
    throw this.invalid(name, "invalid_overflow");
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

/** The type that a queue was declared with. */
export function queueTypeOf(args: FieldTable): string {
  const type = args.get("x-queue-type");
  return type?.type === "longstr" ? type.value.toString() : "classic";
}
