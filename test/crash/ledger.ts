/** Where messages of one publisher end, and how they get there. */
export interface Stream {
  readonly name: string;
  readonly exchange: string;
  readonly routingKey: string;
  /** The queue where they can be found in the end. */
  readonly queue: string;
  readonly priorities: number;
  /** Messages in each transaction; 0 for confirms instead. */
  readonly transaction: number;
}

/** One message: its publisher and its place among that publisher's messages in this round. */
export interface MessageId {
  readonly round: number;
  readonly stream: string;
  readonly number: number;
}

/** The text that a message's body starts with. */
export function writeId({ round, stream, number }: MessageId): string {
  return `${round}:${stream}:${number};`;
}

/** Reads it. Throws for a body that is not ours, which nothing should make of one that was. */
export function readId(body: Buffer): MessageId {
  const end = body.indexOf(";");
  const [round, stream, number] = body.toString("latin1", 0, end).split(":");
  if (end < 0 || stream === undefined || body.subarray(end + 1).some((byte) => byte !== filling)) {
    throw new Error(`a body is damaged: ${body.toString("latin1", 0, 60)}`);
  }
  return { round: Number(round), stream, number: Number(number) };
}

const filling = 0x2e;

/** A body with this text in front, of this size or just the text. */
export function bodyOf(id: MessageId, size: number): Buffer {
  const text = Buffer.from(writeId(id), "latin1");
  return Buffer.concat([text, Buffer.alloc(Math.max(0, size - text.length), filling)]);
}

/** What clients were told of one publisher's messages in one round. */
class StreamBook {
  sent = 0;
  readonly confirmed = new Set<number>();
  readonly acked = new Set<number>();
  /** Acked, and something after the ack was answered. */
  readonly sure = new Set<number>();
}

/** The books of one round: what was promised, against what is there afterwards. */
export class Ledger {
  readonly round: number;
  readonly #streams: readonly Stream[];
  readonly #books = new Map<string, StreamBook>();
  readonly violations: string[] = [];

  constructor(round: number, streams: readonly Stream[]) {
    this.round = round;
    this.#streams = streams;
    for (const { name } of streams) this.#books.set(name, new StreamBook());
  }

  book(stream: string): StreamBook {
    const book = this.#books.get(stream);
    if (book === undefined) throw new Error(`no stream ${stream}`);
    return book;
  }

  /** A new message of this publisher. */
  next(stream: string): MessageId {
    return { round: this.round, stream, number: ++this.book(stream).sent };
  }

  total(what: "confirmed" | "acked" | "sure"): number {
    return [...this.#books.values()].reduce((sum, book) => sum + book[what].size, 0);
  }

  get sent(): number {
    return [...this.#books.values()].reduce((sum, book) => sum + book.sent, 0);
  }

  violation(text: string): void {
    this.violations.push(`round ${this.round}: ${text}`);
  }

  /** A message came to a consumer of this queue. */
  delivered(queue: string, id: MessageId): void {
    const text = writeId(id);
    if (id.round !== this.round) return this.violation(`${queue}: ${text} of an earlier round came back`);
    const book = this.book(id.stream);
    if (id.number > book.sent) this.violation(`${queue}: ${text} was never sent`);
    if (book.sure.has(id.number))
      this.violation(`${queue}: ${text} came back though its ack was followed by an answer`);
    if (this.#stream(id.stream).queue !== queue && queue !== "ttl")
      this.violation(`${queue}: ${text} belongs elsewhere`);
  }

  #stream(name: string): Stream {
    const found = this.#streams.find((stream) => stream.name === name);
    if (found === undefined) throw new Error(`no stream ${name}`);
    return found;
  }

  /** What was in the queues at the end, each message once. */
  settle(found: ReadonlyMap<string, readonly MessageId[]>): void {
    for (const stream of this.#streams) {
      const there = (found.get(stream.queue) ?? []).filter((id) => id.stream === stream.name);
      const numbers = new Set(there.map(({ number }) => number));
      if (numbers.size < there.length)
        this.violation(`${stream.queue}: ${there.length - numbers.size} are there twice`);
      const { confirmed, acked } = this.book(stream.name);
      const lost = [...confirmed].filter((number) => !numbers.has(number) && !acked.has(number));
      if (lost.length > 0) {
        this.violation(`${stream.queue}: ${lost.length} of ${confirmed.size} confirmed are lost: ${lost.slice(0, 5)}`);
      }
      if (stream.transaction > 0) this.#checkTransactions(stream, numbers);
    }
  }

  /** With any message of a transaction all are there that were not acked. A consumer may have acked some before it was safe. */
  #checkTransactions({ name, queue, transaction }: Stream, there: ReadonlySet<number>): void {
    const { sent, acked } = this.book(name);
    for (let first = 1; first <= sent; first += transaction) {
      const all = Array.from({ length: transaction }, (_, i) => first + i);
      const missing = all.filter((number) => !there.has(number) && !acked.has(number));
      if (missing.length > 0 && all.some((number) => there.has(number)))
        this.violation(`${queue}: ${missing.length} of a transaction of ${transaction} are missing`);
    }
  }
}

/** Whether messages come in the order in which they were published, with others of the same priority. */
export class OrderCheck {
  readonly #ledger: Ledger;
  readonly #queue: string;
  readonly #last = new Map<string, number>();

  constructor(ledger: Ledger, queue: string) {
    this.#ledger = ledger;
    this.#queue = queue;
  }

  next(id: MessageId, priority: number): void {
    const key = `${id.stream} ${priority}`;
    const last = this.#last.get(key) ?? 0;
    if (id.number <= last) this.#ledger.violation(`${this.#queue}: ${writeId(id)} came after ${last}`);
    this.#last.set(key, id.number);
  }
}
