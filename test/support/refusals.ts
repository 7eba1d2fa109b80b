import { afterEach, beforeEach } from "vitest";
import { unique } from "./amqp-client.ts";
import type { TestBroker } from "./broker.ts";
import type { Difference } from "./differences.ts";
import { WireClient } from "./wire-client.ts";
import { type Fields, Tagged } from "./wire-codec.ts";
import { methodNamed } from "./wire-methods.ts";

/** A method on channel 1. `<q>` and `<x>` in its fields stand for a queue and an exchange that nobody else has. */
export type Step = readonly [method: string, fields?: Fields];

/** Something that the broker must refuse, and how. */
export interface Refusal {
  readonly name: string;
  /** Methods on channel 1; all but the last succeed. */
  readonly steps?: readonly Step[];
  /** What a list of methods cannot say, done after the steps. */
  readonly provoke?: (wire: WireClient, fill: (fields: Fields) => Fields) => void;
  readonly text: string;
  /** The method that class-id and method-id name, the last step's unless it says otherwise; without steps 0/0. */
  readonly method?: string;
  readonly difference?: Difference;
}

const codes: Record<string, number> = {
  ACCESS_REFUSED: 403,
  NOT_FOUND: 404,
  RESOURCE_LOCKED: 405,
  PRECONDITION_FAILED: 406,
  FRAME_ERROR: 501,
  SYNTAX_ERROR: 502,
  COMMAND_INVALID: 503,
  CHANNEL_ERROR: 504,
  UNEXPECTED_FRAME: 505,
  NOT_ALLOWED: 530,
  NOT_IMPLEMENTED: 540,
  INTERNAL_ERROR: 541,
};

/** A connection to provoke refusals on, another one beside it, and names for each test. */
export class RefusalBench {
  queue = "";
  exchange = "";
  #wire: WireClient | undefined;
  #neighbour: WireClient | undefined;

  get wire(): WireClient {
    if (this.#wire === undefined) throw new Error("not open");
    return this.#wire;
  }

  get neighbour(): WireClient {
    if (this.#neighbour === undefined) throw new Error("not open");
    return this.#neighbour;
  }

  async open(broker: TestBroker): Promise<void> {
    this.queue = unique("queue");
    this.exchange = unique("exchange");
    this.#wire = await WireClient.open(broker);
    await this.wire.openChannel(1);
    this.#neighbour = await WireClient.open(broker);
    await this.neighbour.openChannel(1);
  }

  async close(): Promise<void> {
    await this.wire.close();
    await this.neighbour.call(1, "queue.delete", { queue: this.queue });
    await this.neighbour.call(1, "exchange.delete", { exchange: this.exchange });
    await this.neighbour.close();
  }

  /** The close that the refusal earns. */
  async provoke(refusal: Refusal): Promise<Fields> {
    const steps = [...(refusal.steps ?? [])];
    const last = refusal.provoke === undefined ? steps.pop() : undefined;
    for (const step of steps) {
      this.#send(step);
      await this.wire.next(`the reply to ${step[0]}`);
    }
    if (last !== undefined) this.#send(last);
    refusal.provoke?.(this.wire, (fields) => this.#fillFields(fields));
    const { name, fields } = await this.wire.nextMethod("a close");
    return { close: name, ...fields, "reply-text": unbroken(fields["reply-text"]) };
  }

  /** What `provoke` must return; `close` is `channel.close` or `connection.close`. */
  expected(refusal: Refusal, close: string): Fields {
    const text = String(this.fill(refusal.text));
    const method = refusal.method ?? refusal.steps?.at(-1)?.[0];
    const { classId, methodId } = method === undefined ? { classId: 0, methodId: 0 } : methodNamed(method);
    const code = codes[text.split(" ")[0] ?? ""];
    return { close, "reply-code": code, "reply-text": text, "class-id": classId, "method-id": methodId };
  }

  /** Puts the real names in place of `<q>` and `<x>`, however deep. */
  fill(value: unknown): unknown {
    if (typeof value === "string") return value.replaceAll("<q>", this.queue).replaceAll("<x>", this.exchange);
    if (value instanceof Tagged || Buffer.isBuffer(value)) return value;
    if (Array.isArray(value)) return value.map((entry) => this.fill(entry));
    if (typeof value === "object" && value !== null) return this.#fillFields({ ...value });
    return value;
  }

  #fillFields(fields: Fields): Fields {
    return Object.fromEntries(Object.entries(fields).map(([key, value]) => [key, this.fill(value)]));
  }

  #send([method, fields = {}]: Step): void {
    this.wire.sendMethod(1, method, this.#fillFields(fields));
  }
}

/** A bench that is opened and closed around each test of the file. */
export function useRefusalBench(broker: TestBroker): RefusalBench {
  const bench = new RefusalBench();
  beforeEach(() => bench.open(broker));
  afterEach(() => bench.close());
  return bench;
}

/** Declares `<q>` for this connection alone. */
export function declareQueue(extra: Fields = {}): Step {
  return ["queue.declare", { queue: "<q>", exclusive: true, ...extra }];
}

/** Declares `<q>` with arguments. */
export function declareQueueWith(args: Fields): Step {
  return declareQueue({ arguments: args });
}

/** Declares `<x>`. */
export function declareExchange(extra: Fields = {}): Step {
  return ["exchange.declare", { exchange: "<x>", type: "direct", ...extra }];
}

/** Publishes a small message. */
export function publish(fields: Fields, properties: Fields = {}): NonNullable<Refusal["provoke"]> {
  return (wire, fill) => wire.publish(1, fill(fields), "body", fill(properties));
}

/** The rows of a table test, named by their first member. */
export function byName(refusals: readonly Refusal[]): (readonly [name: string, refusal: Refusal])[] {
  return refusals.map((refusal) => [refusal.name, refusal] as const);
}

/** RabbitMQ prints long terms over several lines; what they say is the same. */
function unbroken(text: unknown): string {
  return String(text).replace(/\n\s*/g, "");
}
