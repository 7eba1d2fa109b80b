import type { Getter } from "../queue/consumer.ts";
import type { Queue } from "../queue/queue.ts";
import type { Segment } from "../queue/segment.ts";
import { Message } from "../record.ts";
import { type Answer, answer, type Call } from "./call.ts";
import { type Encoding, encodingFrom, messageRow } from "./message-row.ts";
import { badRequest } from "./refusal.ts";
import type { Row } from "./rows.ts";

/** What becomes of messages that were looked at. */
const ackModes = {
  ack_requeue_true: "requeue",
  reject_requeue_true: "requeue",
  ack_requeue_false: "ack",
  reject_requeue_false: "reject",
} as const;

type Fate = (typeof ackModes)[keyof typeof ackModes];

/** An answer holds no more than about this many bytes of bodies; what does not fit stays in the queue. */
const answerBytesMax = 32 * 1024 * 1024;

/** Fetches messages from the head of a queue as the body says. */
export async function getMessages(queue: Queue, call: Call): Promise<Answer> {
  const body = call.body.require("ackmode", "count", "encoding");
  const fate = fateOf(body.text("ackmode"));
  const encoding = encodingFrom(body.text("encoding"));
  const truncate = body.findInteger("truncate") ?? Number.POSITIVE_INFINITY;
  if (truncate < 0) throw badRequest("'truncate' should not be negative");
  const fetch = new Fetch(queue, fate, truncate, encoding);
  return answer(await fetch.run(body.findInteger("count") ?? 0));
}

function fateOf(mode: string): Fate {
  if (isAckMode(mode)) return ackModes[mode];
  throw badRequest(`Invalid ackmode value: ${mode}`);
}

function isAckMode(mode: string): mode is keyof typeof ackModes {
  return Object.hasOwn(ackModes, mode);
}

/** One fetch: takes messages one after the other, and settles them when it has them all. */
class Fetch {
  readonly #queue: Queue;
  readonly #fate: Fate;
  readonly #truncate: number;
  readonly #encoding: Encoding;
  readonly #rows: Row[] = [];
  readonly #held: { readonly segment: Segment; readonly index: number }[] = [];
  #bytes = 0;

  constructor(queue: Queue, fate: Fate, truncate: number, encoding: Encoding) {
    this.#queue = queue;
    this.#fate = fate;
    this.#truncate = truncate;
    this.#encoding = encoding;
  }

  async run(count: number): Promise<Row[]> {
    while (this.#rows.length < count && this.#bytes < answerBytesMax) if (!(await this.#next())) break;
    for (const { segment, index } of this.#held) this.#queue[this.#fate](segment, index);
    this.#queue.resume();
    return this.#rows;
  }

  /** Takes the next message; false when there is none. */
  #next(): Promise<boolean> {
    if (this.#queue.deleted) return Promise.resolve(false);
    return new Promise((resolve) => {
      this.#queue.get(
        new FetchGetter(
          (message, redelivered, segment, index) => {
            if (segment !== undefined) this.#held.push({ segment, index });
            this.#rows.push(this.#row(message, redelivered));
            resolve(true);
          },
          () => resolve(false),
        ),
      );
    });
  }

  #row(message: Message, redelivered: boolean): Row {
    this.#bytes += Math.min(message.bodySize, this.#truncate);
    return {
      ...messageRow(message, redelivered, this.#encoding, this.#truncate),
      message_count: this.#queue.ready,
    };
  }
}

type Got = (message: Message, redelivered: boolean, segment: Segment | undefined, index: number) => void;

/** Waits for one message. */
class FetchGetter implements Getter {
  readonly noAck = false;
  readonly #got: Got;
  readonly #none: () => void;
  waiting = true;

  constructor(got: Got, none: () => void) {
    this.#got = got;
    this.#none = none;
  }

  deliver(
    bytes: Buffer,
    addressStart: number,
    addressEnd: number,
    contentStart: number,
    contentEnd: number,
    _bytesStay: boolean,
    redelivered: boolean,
    segment: Segment | undefined,
    index: number,
  ): void {
    this.waiting = false;
    const message = new Message().set(bytes, addressStart, addressEnd, contentStart, contentEnd);
    this.#got(message, redelivered, segment, index);
  }

  empty(): void {
    this.waiting = false;
    this.#none();
  }
}
