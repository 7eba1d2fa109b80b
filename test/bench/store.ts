// Messages through the store, as queues hand them over: `node --import tsx test/bench/store.ts [directory]`, after a build.
import { mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Batch, BatchSource, CommitWaiter, Store } from "../../src/store/store.ts";
import { ThreadedStore } from "../support/threaded-store.ts";

const segmentBytes = 1024 * 1024;

/** A queue's end of the store: packs `perTurn` messages a turn into segments, then settles and drops them. */
class BenchQueue implements BatchSource, CommitWaiter {
  readonly #record: Buffer;
  readonly #perSegment: number;
  packed = 0;
  confirmed = 0;
  settledTo = 0;
  pending = 0;
  mode: "publish" | "settle" = "publish";

  constructor(recordBytes: number) {
    this.#record = Buffer.alloc(recordBytes, "x");
    this.#perSegment = Math.min(65_536, Math.floor(segmentBytes / recordBytes));
  }

  committed(): void {
    this.confirmed++;
  }

  pack(batch: Batch): boolean {
    if (this.mode === "publish") this.#publish(batch);
    else this.#settle(batch);
    this.pending = 0;
    return false;
  }

  #publish(batch: Batch): void {
    const end = this.packed + this.pending;
    let segment = -1;
    for (; this.packed < end; this.packed++) {
      const number = 1 + Math.floor(this.packed / this.#perSegment);
      const index = this.packed % this.#perSegment;
      if (number !== segment) {
        segment = number;
        this.#state(batch, number, Math.min(this.#perSegment, index + end - this.packed), 0);
      }
      batch.message(number, index, 1, 0, this.#record, 0, this.#record.length);
      batch.wait(this, index);
    }
  }

  #settle(batch: Batch): void {
    const end = Math.min(this.settledTo + this.pending, this.packed);
    while (this.settledTo < end) {
      const number = 1 + Math.floor(this.settledTo / this.#perSegment);
      const from = this.settledTo % this.#perSegment;
      const to = Math.min(this.#perSegment, from + end - this.settledTo);
      this.settledTo += to - from;
      if (to === this.#perSegment) {
        batch.dropSegment(number);
      } else {
        this.#state(batch, number, this.#perSegment - to, to);
        batch.settled(number, from, to);
      }
    }
  }

  #state(batch: Batch, number: number, count: number, deliveredTo: number): void {
    const bodyBytes = count * this.#record.length;
    batch.segment({ number, queueId: 1, level: 0, count, bodyBytes, deliveredTo, firstExpiresAt: 0, ttlMs: -1 });
  }

  get segments(): number {
    return Math.ceil(this.packed / this.#perSegment);
  }
}

/** What may wait to be committed, as the flow of publishers bounds it. */
const aheadBytes = 8 * 1024 * 1024;
const aheadMessages = 8000;

/** Adds `perTurn` messages each loop turn, at most `ahead` unconfirmed, until `total` are through. */
function drive(store: Store, queue: BenchQueue, total: number, perTurn: number, ahead: number): Promise<void> {
  return new Promise((resolve) => {
    let added = 0;
    let done = 0;
    let paused = false;
    const turn = (): void => {
      const count = Math.min(perTurn, total - added);
      added += count;
      const reached = added;
      if (queue.pending === 0) store.mark(queue, 0);
      queue.pending += count;
      store.whenCommitted(store.gathering, () => committed(reached));
      paused = added === total || added - done >= ahead;
      if (!paused) setImmediate(turn);
    };
    const committed = (reached: number): void => {
      done = reached;
      if (done === total) resolve();
      if (!paused || added === total) return;
      paused = false;
      setImmediate(turn);
    };
    turn();
  });
}

function readAll(store: Store, queue: BenchQueue): Promise<number> {
  return new Promise((resolve) => {
    let read = 0;
    let left = queue.segments;
    for (let number = 1; number <= queue.segments; number++) {
      store.readSegment(number, (messages) => {
        read += messages.indexes.length;
        left--;
        if (left === 0) resolve(read);
      });
    }
  });
}

async function timed(label: string, count: number, work: () => Promise<unknown>): Promise<void> {
  const cpu = process.cpuUsage();
  const start = performance.now();
  await work();
  const ms = performance.now() - start;
  const { user, system } = process.cpuUsage(cpu);
  const rate = Math.round(count / ms).toLocaleString("en");
  console.log(`${label.padEnd(34)} ${rate.padStart(7)}k/s, CPU ${((user + system) / count).toFixed(2)} us each`);
}

async function run(parent: string, label: string, recordBytes: number, total: number, perTurn: number): Promise<void> {
  const directory = mkdtempSync(join(parent, "tsbroker-bench-"));
  const fail = (error: Error): never => {
    throw error;
  };
  const store = new ThreadedStore({
    directory,
    listener: {
      storeFailing: fail,
      storeRecovered: () => {},
      storeMended: () => {},
      storeUntidy: () => {},
      storeDamaged: () => fail(new Error("damaged")),
    },
    onCrash: fail,
  });
  await store.open();
  const queue = new BenchQueue(recordBytes);
  const batches = store.gathering;
  const ahead = Math.min(aheadMessages, Math.floor(aheadBytes / recordBytes));
  await timed(`${label}: publish`, total, () => drive(store, queue, total, perTurn, ahead));
  console.log(`    ${Math.round(total / (store.gathering - batches))} a batch, ${queue.confirmed} confirmed`);
  await timed(`${label}: read back`, total, () => readAll(store, queue));
  queue.mode = "settle";
  await timed(`${label}: settle`, total, () => drive(store, queue, total, perTurn, ahead));
  await store.close();
  rmSync(directory, { recursive: true });
}

const parent = process.argv[2] ?? tmpdir();
mkdirSync(parent, { recursive: true });
for (let round = 0; round < 2; round++) {
  // A record is the body and some 60 bytes of address, header and frames.
  await run(parent, "16 B bodies", 76, 1_000_000, 500);
  await run(parent, "1 KiB bodies", 1084, 200_000, 200);
  await run(parent, "64 KiB bodies", 65_596, 4_000, 16);
}
