import assert from "node:assert/strict";
import fc from "fast-check";
import { it } from "vitest";
import { deadLetterRetryMs } from "../../src/queue/dead-letter-retries.ts";
import type { Queue } from "../../src/queue/queue.ts";
import { Message } from "../../src/record.ts";
import { message } from "../support/messages.ts";
import { type Held, TestConsumer, TestGetter, TestHost } from "../support/queue.ts";
import { bytesOf, type ModelMessage, type ModelOptions, QueueModel } from "../support/queue-model.ts";
import { manyRuns } from "../support/runs.ts";

type Settlement = "ack" | "reject" | "requeue" | "return";

interface Holding {
  readonly message: ModelMessage;
  /** Undefined once its consumer has gone, and for what was got. */
  readonly consumer: CheckedConsumer | undefined;
  settle(how: Settlement): void;
}

/** The queue beside its model: every delivery is checked when it comes, the rest after each command. */
class Bench {
  host = new TestHost();
  queue: Queue;
  readonly model: QueueModel;
  consumers: CheckedConsumer[] = [];
  getters: CheckedGetter[] = [];
  /** Unacked deliveries. */
  holdings: Holding[] = [];
  /** Being published just now. */
  publishing: ModelMessage | undefined;
  #options: ModelOptions;
  readonly #durable: boolean;
  #nextId = 1;
  /** Told without being on disk: its settlement must explain it. */
  #unexplained: { message: ModelMessage; committed: number }[] = [];

  constructor(options: ModelOptions, durable: boolean) {
    this.#options = options;
    this.#durable = durable;
    this.model = new QueueModel(
      options,
      durable,
      () => this.host.store.gathering,
      () => this.#now,
    );
    this.queue = this.host.queue(options, { durable });
  }

  get #now(): number {
    return this.host.clock.now();
  }

  publish({ priority, ttl, persistent, bytes }: Publishing): void {
    const { model, queue } = this;
    const id = this.#nextId++;
    const made = message({
      routingKey: `${id}`,
      priority,
      deliveryMode: persistent ? 2 : 1,
      ...(ttl !== undefined && { expiration: `${ttl}` }),
      body: Buffer.alloc(bytes),
    });
    const noneReady = model.ready.length === 0;
    const refused = model.refuses(bytes);
    const taker = noneReady && !refused ? this.consumers.find((consumer) => consumer.mayTake()) : undefined;
    const added = model.add({ id, priority, persistent, bytes, ownTtlMs: ttl ?? Infinity });
    if (refused) {
      model.settle(added);
      if (this.#options.overflow === "reject-publish-dlx" && this.#options.deadLetterExchange !== undefined) {
        model.deadLetters.push(`${id} maxlen`);
      }
    }
    added.waits = added.stored && !refused;
    this.publishing = added;
    const result = queue.enqueue(made, { committed: (tag) => this.#told(tag) }, id);
    this.publishing = undefined;
    if (refused) assert.equal(result, "rejected");
    else if (taker !== undefined) assert.ok(added.wasDelivered, "a consumer with credit gets it at once");
    if (result === "done") added.waits = false;
    const safeAtOnce = !added.stored || (taker !== undefined && added.state === "settled");
    if (!refused && !safeAtOnce) assert.equal(result, "waits");
    if (!refused && !added.stored) assert.equal(result, "done");
    model.expire(this.#now);
    model.dropSurplus();
  }

  #told(id: number): void {
    const told = this.model.get(id);
    assert.ok(told.waits, "only who waits is told");
    assert.ok(!told.told, "once");
    told.told = true;
    if (!this.#idsOnDisk().has(id)) this.#unexplained.push({ message: told, committed: this.host.store.committed });
  }

  #idsOnDisk(): Set<number> {
    const { disk } = this.host.store;
    const ids = new Set<number>();
    for (const { number, count } of disk.state().segments) {
      const { ends, bytes, indexes } = disk.messages(number);
      assert.equal(indexes.length, count);
      for (let i = 0; i < ends.length; i++) {
        ids.add(Number(new Message().setRecord(bytes, ends[i - 1] ?? 0, ends[i] ?? 0).routingKey));
      }
    }
    return ids;
  }

  /** A message comes out of the queue, to a consumer or, without one, to a getter. */
  delivered(id: number, redelivered: boolean, noAck: boolean, consumer: CheckedConsumer | undefined): ModelMessage {
    const { model } = this;
    if (this.publishing === undefined) model.catchUp();
    const isDue = (each: ModelMessage): boolean =>
      each === this.publishing || each.expiresAt === 0 || each.expiresAt > this.#now;
    assert.equal(id, model.ready.find(isDue)?.id, "the first ready message is delivered");
    const delivered = model.get(id);
    if (delivered.redelivered !== undefined) assert.equal(redelivered, delivered.redelivered);
    if (consumer !== undefined) this.#checkTurn(consumer);
    model.delivered(delivered, noAck);
    return delivered;
  }

  #checkTurn(consumer: CheckedConsumer): void {
    assert.ok(this.consumers.includes(consumer), "it is still there");
    assert.ok(consumer.hasCredit(), "it has credit");
    if (this.#options.singleActiveConsumer) assert.equal(consumer, this.consumers[0]);
    const before = this.consumers.find((other) => other.mayTake() && other.priority > consumer.priority);
    assert.equal(before, undefined, "nobody with a higher priority has credit");
  }

  get singleActive(): boolean {
    return this.#options.singleActiveConsumer;
  }

  settle(holdings: readonly Holding[], how: Settlement): void {
    this.holdings = this.holdings.filter((each) => !holdings.includes(each));
    for (const { message, consumer, settle } of holdings) {
      if (consumer !== undefined) consumer.returning = true;
      if (how === "requeue" || how === "return") this.model.requeue(message, how === "return");
      else if (how === "ack") this.model.settle(message);
      else this.model.bury(message, "rejected");
      settle(how);
      this.model.expire(this.#now);
    }
    this.model.dropSurplus();
    if (how === "requeue" || how === "return") this.queue.resume();
    for (const { consumer } of holdings) {
      if (consumer === undefined) continue;
      consumer.returning = false;
      this.queue.consumerReady(consumer);
    }
  }

  cancel(consumer: CheckedConsumer): void {
    this.consumers = this.consumers.filter((other) => other !== consumer);
    this.holdings = this.holdings.map((each) => (each.consumer === consumer ? { ...each, consumer: undefined } : each));
    this.queue.removeConsumer(consumer);
  }

  purge(): void {
    const { ready } = this.model;
    for (const each of ready) this.model.settle(each);
    assert.equal(this.queue.purge(), ready.length);
  }

  advance(ms: number): void {
    const { clock } = this.host;
    const end = this.#now + ms;
    for (let next = clock.nextDue; next !== undefined && next <= end; next = clock.nextDue) {
      clock.advance(Math.max(0, next - this.#now));
      this.model.catchUp();
    }
    clock.advance(end - this.#now);
    this.model.catchUp();
  }

  /** A policy changes the time to live. */
  changeTtl(messageTtlMs: number | undefined): void {
    this.#options = { ...this.#options, messageTtlMs };
    this.model.changeTtl(messageTtlMs);
    this.queue.change({ ...this.queue.options, messageTtlMs });
    this.advance(0);
  }

  /** A policy changes the greatest length. */
  changeLength(maxLength: number | undefined): void {
    this.#options = { ...this.#options, maxLength };
    this.model.options = { ...this.model.options, maxLength };
    this.model.dropSurplus();
    this.queue.change({ ...this.queue.options, maxLength });
  }

  /** The dead letters that are on their way arrive, or do not. */
  letLettersArrive(arrive: boolean): void {
    for (const { key, sent } of this.host.onSent.splice(0)) {
      this.model.sent(Number(key), arrive, deadLetterRetryMs);
      sent(arrive);
    }
  }

  restart(graceful: boolean): void {
    const { model } = this;
    if (graceful) this.host.store.settle();
    const { committed } = this.host.store;
    const survivors = this.#idsOnDisk();
    for (const each of model.messages) {
      const expected = model.onDisk(each, committed);
      if (expected !== "either")
        assert.equal(survivors.has(each.id), expected === "there", `${each.id} is ${expected}`);
      if (graceful) assert.equal(survivors.has(each.id), each.stored && each.state !== "settled");
    }
    model.restart(survivors, committed);
    this.#adoptStored(graceful);
    this.consumers = [];
    this.getters = [];
    this.holdings = [];
    const { deadLetters } = this.host;
    this.host = this.host.restarted();
    this.host.deadLetters = deadLetters;
    this.queue = this.host.restore(this.host.queue(this.#options, { durable: this.#durable }));
    // Until they are read, messages that expired meanwhile count.
    if (model.ready.some(({ expiresAt }) => expiresAt !== 0 && expiresAt <= this.#now)) this.#read();
    model.expire(this.#now);
    // What was unacked is ready again and may be too much. The queue looks at its limits when it is next used.
    this.queue.resume();
    model.dropSurplus();
  }

  /** What was counted and timed last may not have been stored before the crash: what was is what counts now. */
  #adoptStored(graceful: boolean): void {
    for (const { id, failures, expiresAt, ttlMs } of this.#stored()) {
      const message = this.model.get(id);
      if (graceful) assert.equal(failures, message.failures);
      else assert.ok(failures <= message.failures, "failures are not made up");
      assert.ok(message.expiries.includes(expiresAt), "it expires when it once was to");
      message.failures = failures;
      message.expiresAt = expiresAt;
      this.model.retime(message, ttlMs < 0 ? Infinity : ttlMs);
    }
  }

  *#stored(): Iterable<{ id: number; failures: number; expiresAt: number; ttlMs: number }> {
    const { disk } = this.host.store;
    for (const { number, ttlMs } of disk.state().segments) {
      const { ends, bytes, flags, expiresAt } = disk.messages(number);
      for (let i = 0; i < ends.length; i++) {
        const { routingKey } = new Message().setRecord(bytes, ends[i - 1] ?? 0, ends[i] ?? 0);
        yield { id: Number(routingKey), failures: (flags[i] ?? 0) >>> 8, expiresAt: expiresAt[i] ?? 0, ttlMs };
      }
    }
  }

  /** Compares what both say. What was put off until a segment is read shows as a difference, and is done then. */
  check(): void {
    const { model, queue, host } = this;
    model.expire(this.#now);
    if (queue.ready !== model.ready.length) this.#read();
    assert.deepEqual(
      { ready: queue.ready, readyBytes: queue.readyBytes, unacked: queue.unacked, unackedBytes: queue.unackedBytes },
      {
        ready: model.ready.length,
        readyBytes: bytesOf(model.ready),
        unacked: model.unacked.length,
        unackedBytes: bytesOf(model.unacked),
      },
    );
    assert.equal(queue.consumerCount, this.consumers.length);
    const wanted = this.getters.length > 0 || this.consumers.some((consumer) => consumer.mayTake());
    if (model.ready.length > 0 && wanted) assert.ok(host.store.busy, "what is wanted waits for the store alone");
    if (model.ready.length === 0) assert.equal(this.getters.length, 0, "who waits for nothing is told so");
    assert.deepEqual(host.deadLetters.toSorted(), model.deadLetters.toSorted());
    for (const { message, committed } of this.#unexplained) {
      assert.equal(message.state, "settled", `${message.id} was told too early`);
      if (message.replaced) assert.ok(message.settledIn <= committed, `${message.id}'s dead letter was not safe`);
    }
    this.#unexplained = [];
  }

  /** Lets the store read what the queue asked for. */
  #read(): void {
    this.host.clock.advance(0);
    this.host.store.settle();
    this.host.clock.advance(0);
  }

  /** Takes out all that is left, and makes sure that everybody was told. */
  finish(): void {
    this.check();
    this.host.store.settle();
    this.check();
    for (const consumer of this.consumers) this.cancel(consumer);
    this.settle(this.holdings, "requeue");
    this.check();
    // What waits to be tried again comes back; what expires on the way takes its leave.
    this.advance(60_000);
    this.#read();
    this.letLettersArrive(true);
    this.check();
    for (let left = this.model.ready.length; left > 0; left--) this.get(true);
    this.#read();
    this.check();
    this.get(true);
    this.letLettersArrive(true);
    this.host.store.settle();
    this.check();
    for (const { id, waits, told } of this.model.messages) assert.ok(!waits || told, `${id} was never told`);
    assert.equal(this.getters.length, 0);
    assert.deepEqual(this.#idsOnDisk(), new Set(this.model.unacked.map(({ id }) => id)));
  }

  get(noAck: boolean): void {
    const getter = new CheckedGetter(this, noAck);
    this.getters.push(getter);
    this.queue.get(getter);
  }
}

class CheckedConsumer extends TestConsumer {
  /** It has credit, but the queue was not told so far. */
  returning = false;
  readonly #bench: Bench;
  readonly #acksAtOnce: boolean;

  constructor(bench: Bench, options: { noAck: boolean; prefetch: number; priority: number; acksAtOnce: boolean }) {
    super(options);
    this.#bench = bench;
    this.#acksAtOnce = options.acksAtOnce;
  }

  mayTake(): boolean {
    if (this.#bench.singleActive && this.#bench.consumers[0] !== this) return false;
    return this.hasCredit() && !this.returning;
  }

  override deliver(...args: Parameters<TestConsumer["deliver"]>): void {
    const [bytes, addressStart, addressEnd, contentStart, contentEnd, , redelivered, segment] = args;
    const id = Number(new Message().set(bytes, addressStart, addressEnd, contentStart, contentEnd).routingKey);
    const message = this.#bench.delivered(id, redelivered, this.noAck, this);
    super.deliver(...args);
    assert.equal(segment === undefined, this.noAck);
    if (this.noAck) return;
    const holding: Holding = { message, consumer: this, settle: (how) => this.#settle(`${id}`, how) };
    this.#bench.holdings.push(holding);
    if (this.#acksAtOnce) this.#bench.settle([holding], "ack");
  }

  #settle(key: string, how: Settlement): void {
    const at = this.held.findIndex((held) => held.key === key);
    const [held] = this.held.splice(at, 1);
    assert.ok(held !== undefined);
    settleHeld(this.#bench.queue, held, how);
  }
}

function settleHeld(queue: Queue, { segment, index }: Held, how: Settlement): void {
  if (how === "return") queue.requeue(segment, index, true);
  else queue[how](segment, index);
}

class CheckedGetter extends TestGetter {
  readonly #bench: Bench;

  constructor(bench: Bench, noAck: boolean) {
    super(noAck);
    this.#bench = bench;
  }

  override deliver(...args: Parameters<TestGetter["deliver"]>): void {
    super.deliver(...args);
    this.#answered();
    const id = Number.parseInt(this.answer ?? "", 10);
    const message = this.#bench.delivered(id, this.answer?.endsWith("!") === true, this.noAck, undefined);
    const { held } = this;
    if (held === undefined) return;
    const settle = (how: Settlement): void => settleHeld(this.#bench.queue, held, how);
    this.#bench.holdings.push({ message, consumer: undefined, settle });
  }

  override empty(): void {
    super.empty();
    this.#answered();
    const { model, host } = this.#bench;
    model.expire(host.clock.now());
    assert.equal(model.ready.length, 0, "only an empty queue says so");
  }

  #answered(): void {
    this.#bench.getters = this.#bench.getters.filter((other) => other !== this);
  }
}

interface Publishing {
  readonly priority: number;
  readonly ttl: number | undefined;
  readonly persistent: boolean;
  readonly bytes: number;
}

type Command = fc.Command<object, Bench>;

/** A command whose report says what it does. */
function command<T>(name: string, args: T, run: (bench: Bench, args: T) => void): Command {
  return {
    check: () => true,
    run: (_, bench) => {
      run(bench, args);
      bench.check();
    },
    toString: () => `${name}(${JSON.stringify(args)})`,
  };
}

function commands<T>(name: string, args: fc.Arbitrary<T>, run: (bench: Bench, args: T) => void): fc.Arbitrary<Command> {
  return args.map((each) => command(name, each, run));
}

const times = fc.constantFrom(0, 5, 50, 1000);
const how = fc.constantFrom<Settlement>("ack", "ack", "reject", "requeue", "return");

const publish = commands(
  "publish",
  fc.record({
    priority: fc.nat(4),
    ttl: fc.oneof({ weight: 4, arbitrary: fc.constant(undefined) }, times),
    persistent: fc.nat(3).map((one) => one > 0),
    bytes: fc.oneof({ weight: 4, arbitrary: fc.constantFrom(0, 10) }, fc.constantFrom(1000, 17_000, 400_000)),
  }),
  (bench, publishing) => bench.publish(publishing),
);

const consume = commands(
  "consume",
  fc.record({
    noAck: fc.nat(3).map((one) => one === 0),
    prefetch: fc.integer({ min: 1, max: 4 }),
    priority: fc.nat(2),
    acksAtOnce: fc.nat(3).map((one) => one === 0),
  }),
  (bench, options) => {
    const consumer = new CheckedConsumer(bench, options);
    bench.consumers.push(consumer);
    bench.queue.addConsumer(consumer);
  },
);

const cancel = commands("cancel", fc.nat(), (bench, which) => {
  const consumer = bench.consumers[which % Math.max(1, bench.consumers.length)];
  if (consumer !== undefined) bench.cancel(consumer);
});

const settle = commands("settle", fc.record({ which: fc.nat(), how }), (bench, { which, how }) => {
  const holding = bench.holdings[which % Math.max(1, bench.holdings.length)];
  if (holding !== undefined) bench.settle([holding], how);
});

const settleAll = commands("settleAll", fc.record({ backwards: fc.boolean(), how }), (bench, { backwards, how }) => {
  bench.settle(backwards ? bench.holdings.toReversed() : bench.holdings, how);
});

const store = commands("store", fc.integer({ min: 1, max: 4 }), (bench, steps) => {
  for (let i = 0; i < steps; i++) bench.host.store.step();
});

function often(times: number, each: fc.Arbitrary<Command>): fc.Arbitrary<Command>[] {
  return Array.from({ length: times }, () => each);
}

const everyCommand: fc.Arbitrary<Command>[] = [
  ...often(24, publish),
  ...often(2, consume),
  ...often(4, cancel),
  ...often(10, settle),
  ...often(2, settleAll),
  ...often(
    4,
    commands("get", fc.boolean(), (bench, noAck) => bench.get(noAck)),
  ),
  ...often(
    4,
    commands("advance", fc.oneof({ weight: 5, arbitrary: times }, fc.constant(deadLetterRetryMs)), (bench, ms) =>
      bench.advance(ms),
    ),
  ),
  ...often(
    4,
    commands("letLettersArrive", fc.boolean(), (bench, arrive) => bench.letLettersArrive(arrive)),
  ),
  commands("changeTtl", fc.constantFrom(undefined, 0, 20, 100, 10_000), (bench, ms) => bench.changeTtl(ms)),
  commands("changeLength", fc.constantFrom(undefined, 0, 1, 3, 8), (bench, length) => bench.changeLength(length)),
  ...often(8, store),
  ...often(
    2,
    commands("restart", fc.boolean(), (bench, graceful) => bench.restart(graceful)),
  ),
  commands("purge", fc.constant(null), (bench) => bench.purge()),
];

const limit = (...values: number[]): fc.Arbitrary<number | undefined> =>
  fc.oneof({ weight: 4, arbitrary: fc.constant(undefined) }, fc.constantFrom(...values));

const options: fc.Arbitrary<ModelOptions> = fc.record({
  messageTtlMs: limit(0, 20, 100),
  maxLength: limit(0, 1, 3, 8),
  maxLengthBytes: limit(0, 30, 20_000),
  overflow: fc.constantFrom("drop-head", "reject-publish", "reject-publish-dlx"),
  deadLetterExchange: fc.option(fc.constant("dlx"), { nil: undefined }),
  maxPriority: fc.constantFrom(0, 0, 3),
  singleActiveConsumer: fc.constantFrom(false, false, true),
  deliveryLimit: limit(0, 1, 2),
  delayedRetry: fc.oneof(
    { weight: 3, arbitrary: fc.constant(undefined) },
    fc.record({
      of: fc.constantFrom("all", "failed", "returned"),
      minMs: fc.constantFrom(10, 60),
      maxMs: fc.constantFrom(60, 100),
    }),
  ),
  deadLettersAtLeastOnce: fc.boolean(),
});

it("a queue does what a plain list of messages would, also over restarts", () => {
  fc.assert(
    fc.property(
      options,
      fc.constantFrom(true, true, true, false),
      fc.commands(everyCommand, { maxCommands: 120, size: "max" }),
      (options, durable, list) => {
        const bench = new Bench(options, durable);
        fc.modelRun(() => ({ model: {}, real: bench }), list);
        bench.finish();
      },
    ),
    manyRuns(4),
  );
});
