import fc from "fast-check";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { FieldTable } from "../../src/field-table.ts";
import type { BindingDefinition, Definition, QueueDefinition, Store, StoredState } from "../../src/store/store.ts";
import { committed, letters, putMessages, readMessages, readText, segment, source } from "../support/store.ts";

/** What a suite needs of an implementation. */
export interface StoreSubject {
  readonly store: Store;
  /** Closes the store and gives another on the same data. */
  restart(): Promise<StoreSubject>;
  /** Closes the store and removes what it left. */
  stop(): Promise<void>;
}

const allTypes: FieldTable = new Map([
  ["longstr", { type: "longstr", value: "text" }],
  ["bytes", { type: "longstr", value: Buffer.of(0xff, 0) }],
  ["binary", { type: "binary", value: Buffer.of(1, 2) }],
  ["bool", { type: "bool", value: true }],
  ["byte", { type: "byte", value: -1 }],
  ["short", { type: "short", value: -300 }],
  ["signedint", { type: "signedint", value: -70_000 }],
  ["long", { type: "long", value: 2n ** 62n }],
  ["unsignedbyte", { type: "unsignedbyte", value: 255 }],
  ["unsignedshort", { type: "unsignedshort", value: 65_535 }],
  ["unsignedint", { type: "unsignedint", value: 4_000_000_000 }],
  ["timestamp", { type: "timestamp", value: 1_700_000_000 }],
  ["double", { type: "double", value: 0.1 }],
  ["float", { type: "float", value: 0.5 }],
  ["decimal", { type: "decimal", scale: 2, value: 314 }],
  ["array", { type: "array", value: [{ type: "void" }, { type: "longstr", value: "x" }] }],
  ["table", { type: "table", value: new Map([["inner", { type: "signedint", value: 1 }]]) }],
  ["void", { type: "void" }],
]);

const queue: QueueDefinition = {
  kind: "queue",
  vhost: "/",
  name: "orders",
  id: 7,
  autoDelete: false,
  arguments: new Map([["x-max-length", { type: "signedint", value: 10 }]]),
};

const binding: BindingDefinition = {
  kind: "binding",
  vhost: "/",
  source: "events",
  destinationKind: "queue",
  destination: "orders",
  routingKey: "order.*",
  arguments: allTypes,
};

const definitions: readonly Definition[] = [
  {
    kind: "vhost",
    name: "/",
    description: "the first",
    tags: ["a", "b"],
    defaultQueueType: undefined,
    protectedFromDeletion: false,
  },
  { kind: "vhost", name: "other", description: "", tags: [], defaultQueueType: "quorum", protectedFromDeletion: true },
  { kind: "user", name: "guest", passwordHash: "c2FsdA==", hashingAlgorithm: "sha256", tags: ["administrator"] },
  { kind: "permission", vhost: "/", user: "guest", configure: ".*", write: "^a", read: "" },
  { kind: "topic-permission", vhost: "/", user: "guest", exchange: "events", write: "^a", read: ".*" },
  {
    kind: "policy",
    operator: true,
    vhost: "/",
    name: "bound",
    pattern: "^a",
    applyTo: "queues",
    priority: -1,
    rules: new Map([["max-length", { type: "long", value: 5 }]]),
  },
  { kind: "limit", scope: "user", subject: "guest", name: "max-channels", value: -1 },
  { kind: "global-parameter", name: "cluster_name", value: '"one"' },
  {
    kind: "exchange",
    vhost: "/",
    name: "events",
    type: "topic",
    autoDelete: true,
    internal: true,
    arguments: allTypes,
    declaredBy: "alice",
  },
  queue,
  binding,
  { ...binding, destinationKind: "exchange", arguments: new Map() },
];

/** The promises of the store port; each implementation runs this suite. */
export function storeContract(start: () => Promise<StoreSubject>): void {
  let subject: StoreSubject;
  let store: Store;

  beforeEach(async () => {
    subject = await start();
    store = subject.store;
  });

  afterEach(() => subject.stop());

  /** Restarts, and returns what the start read. */
  async function restart(): Promise<StoredState> {
    subject = await subject.restart();
    store = subject.store;
    return store.open();
  }

  describe("definitions", () => {
    it("are there again after a restart, with arguments of every type", async () => {
      await store.open();
      for (const definition of definitions) store.define(definition);
      const state = await restart();
      expect(state.definitions).toHaveLength(definitions.length);
      expect(state.definitions).toEqual(expect.arrayContaining([...definitions]));
    });

    it("are replaced by their key", async () => {
      await store.open();
      store.define(queue);
      await committed(store);
      store.define({ ...queue, autoDelete: true, arguments: new Map() });
      expect((await restart()).definitions).toEqual([{ ...queue, autoDelete: true, arguments: new Map() }]);
    });

    it("are gone once undefined, and an absent one is no error", async () => {
      await store.open();
      for (const definition of definitions) store.define(definition);
      await committed(store);
      for (const definition of definitions) store.undefine(definition);
      store.undefine({ kind: "queue", vhost: "/", name: "never" });
      expect((await restart()).definitions).toEqual([]);
    });

    it("follow their order within a batch", async () => {
      await store.open();
      store.define(queue);
      store.undefine(queue);
      store.define({ ...queue, id: 8 });
      expect((await restart()).definitions).toEqual([{ ...queue, id: 8 }]);
    });

    it("tell bindings apart by the values of their arguments, whatever their order and width", async () => {
      await store.open();
      const one: FieldTable = new Map([
        ["a", { type: "signedint", value: 1 }],
        ["b", { type: "longstr", value: "x" }],
      ]);
      const sameOtherwiseWritten: FieldTable = new Map([
        ["b", { type: "binary", value: Buffer.from("x") }],
        ["a", { type: "long", value: 1 }],
      ]);
      const other: FieldTable = new Map([["a", { type: "longstr", value: "1" }]]);
      store.define({ ...binding, arguments: one });
      store.define({ ...binding, arguments: other });
      store.undefine({ ...binding, arguments: sameOtherwiseWritten });
      expect((await restart()).definitions).toEqual([{ ...binding, arguments: other }]);
    });
  });

  describe("messages", () => {
    it("can be restated: their flags and expiry change, their bytes stay", async () => {
      await store.open();
      store.mark(
        source((batch) => {
          batch.segment(segment(1, 2));
          putMessages(batch, 1, letters("ab"));
        }),
        0,
      );
      await committed(store);
      store.mark(
        source((batch) => {
          batch.restate(1, 1, 0x1_0008, 2 ** 45);
          batch.restate(1, 1, 0x2_0008, 0);
          batch.restate(1, 0, 9, 12);
          batch.restate(1, 5, 9, 12);
        }),
        0,
      );
      await committed(store);
      expect(await readMessages(store, 1)).toEqual([
        { index: 0, record: Buffer.from("a"), flags: 9, expiresAt: 12 },
        { index: 1, record: Buffer.from("b"), flags: 0x2_0008, expiresAt: 0 },
      ]);
    });

    it("are read back in the order of their indexes, with flags, expiry and bytes as they were", async () => {
      await store.open();
      const messages = [
        { index: 0, record: Buffer.of(0, 0xff, 0, 0x80), flags: 1, expiresAt: 0 },
        { index: 3, record: Buffer.alloc(0), flags: 0, expiresAt: 0 },
        { index: 4, record: Buffer.alloc(100_000, 0xce), flags: 255, expiresAt: 1_700_000_000_123 },
        { index: 65_535, record: Buffer.from("é\0ü"), flags: 2, expiresAt: 2 ** 45 },
      ];
      store.mark(
        source((batch) => {
          batch.segment(segment(5, 4));
          putMessages(batch, 5, messages);
        }),
        0,
      );
      await committed(store);
      expect(await readMessages(store, 5)).toEqual(messages);
    });

    it("are read back whatever their number and bytes", async () => {
      await store.open();
      let number = 0;
      const anyMessages = fc.array(
        fc.record({
          record: fc.uint8Array({ maxLength: 200 }).map((bytes) => Buffer.from(bytes)),
          flags: fc.integer({ min: 0, max: 2 ** 32 - 1 }),
          expiresAt: fc.oneof(fc.constant(0), fc.integer({ min: 1, max: 2 ** 48 })),
        }),
        { maxLength: 100 },
      );
      await fc.assert(
        fc.asyncProperty(anyMessages, async (parts) => {
          const messages = parts.map((part, index) => ({ index, ...part }));
          const current = ++number;
          store.mark(
            source((batch) => {
              batch.segment(segment(current, messages.length));
              putMessages(batch, current, messages);
            }),
            0,
          );
          await committed(store);
          expect(await readMessages(store, current)).toEqual(messages);
        }),
      );
    });

    it("are copied before message() returns", async () => {
      await store.open();
      const bytes = Buffer.from("..a..");
      store.mark(
        source((batch) => {
          batch.segment(segment(1, 1));
          batch.message(1, 0, 0, 0, bytes, 2, 3);
          bytes.fill("x");
        }),
        0,
      );
      await committed(store);
      expect(await readText(store, 1)).toBe("0a");
    });

    it("are gone once settled, also those of the same batch", async () => {
      await store.open();
      store.mark(
        source((batch) => {
          batch.segment(segment(1, 5));
          putMessages(batch, 1, letters("abcdef"));
          batch.settled(1, 5, 6);
        }),
        0,
      );
      await committed(store);
      store.mark(
        source((batch) => {
          batch.settled(1, 0, 2);
          batch.settled(1, 3, 4);
          batch.segment(segment(1, 2));
        }),
        0,
      );
      await committed(store);
      expect(await readText(store, 1)).toBe("2c 4e");
    });

    it("of a dropped segment are gone, those of its neighbours stay", async () => {
      await store.open();
      store.mark(
        source((batch) => {
          for (const number of [1, 2, 3]) {
            batch.segment(segment(number, 2));
            putMessages(batch, number, letters("ab"));
          }
        }),
        0,
      );
      await committed(store);
      store.mark(
        source((batch) => batch.dropSegment(2)),
        0,
      );
      await committed(store);
      expect(await Promise.all([1, 2, 3].map((number) => readText(store, number)))).toEqual(["0a 1b", "", "0a 1b"]);
      expect((await restart()).segments.map(({ number }) => number)).toEqual([1, 3]);
      expect(await readText(store, 2)).toBe("");
    });

    it("of a queue are dropped together, and what is packed into the batch comes after", async () => {
      await store.open();
      store.mark(
        source((batch) => {
          for (const number of [1, 2, 3]) {
            batch.segment(segment(number, 1, { queueId: number === 2 ? 20 : 10 }));
            putMessages(batch, number, letters("a"));
          }
        }),
        0,
      );
      await committed(store);
      store.mark(
        source((batch) => {
          batch.segment(segment(4, 1, { queueId: 10 }));
          putMessages(batch, 4, letters("z"));
        }),
        0,
      );
      store.dropMessages(10);
      await committed(store);
      const texts = await Promise.all([1, 2, 3, 4].map((number) => readText(store, number)));
      expect(texts).toEqual(["", "0a", "", "0z"]);
    });

    it("of a segment that never was are none", async () => {
      await store.open();
      expect(await readMessages(store, 99)).toEqual([]);
    });

    it("and their segments' states are there again after a restart", async () => {
      await store.open();
      const states = [
        segment(3, 1, {
          queueId: 2 ** 40,
          level: 255,
          bodyBytes: 2 ** 40,
          deliveredTo: 65_536,
          firstExpiresAt: 2 ** 45,
          ttlMs: 2 ** 32,
        }),
        segment(2 ** 33, 2),
      ];
      store.mark(
        source((batch) => batch.segment(segment(3, 7))),
        0,
      );
      await committed(store);
      store.mark(
        source((batch) => {
          for (const state of states.toReversed()) {
            batch.segment(state);
            putMessages(batch, state.number, letters("ab".slice(0, state.count)));
          }
        }),
        0,
      );
      const state = await restart();
      expect(state.segments).toEqual(states);
      expect(await readText(store, 2 ** 33)).toBe("0a 1b");
    });

    it("that are all settled leave no segment behind", async () => {
      await store.open();
      store.mark(
        source((batch) => batch.segment(segment(1, 0))),
        0,
      );
      expect((await restart()).segments).toEqual([]);
    });
  });

  describe("commits", () => {
    it("number batches from 1, and `committed` follows `gathering`", async () => {
      await store.open();
      expect([store.gathering, store.committed]).toEqual([1, 0]);
      store.define(queue);
      expect([store.gathering, store.committed]).toEqual([1, 0]);
      await committed(store);
      expect(store.committed).toBe(1);
      expect(store.gathering).toBe(2);
    });

    it("tell commit waiters in order, then callbacks, batch by batch", async () => {
      await store.open();
      const told: string[] = [];
      const waiter = { committed: (tag: number) => told.push(`waiter ${tag}`) };
      const add = (tag: number): void => {
        store.mark(
          source((batch) => {
            batch.segment(segment(tag, 1));
            putMessages(batch, tag, letters("a"));
            batch.wait(waiter, tag);
            batch.wait(waiter, tag + 1);
          }),
          0,
        );
        store.whenCommitted(store.gathering, () => told.push(`batch with ${tag}`));
      };
      add(10);
      add(20);
      const first = store.gathering;
      await new Promise<void>((resolve) => store.whenCommitted(first, resolve));
      add(30);
      await committed(store);
      expect(told).toEqual([
        ...["waiter 10", "waiter 11", "waiter 20", "waiter 21", "batch with 10", "batch with 20"],
        ...["waiter 30", "waiter 31", "batch with 30"],
      ]);
    });

    it("take in what is added while one is being written", async () => {
      await store.open();
      const told: number[] = [];
      const done = new Promise<void>((resolve) => {
        const add = (left: number): void => {
          store.define({ ...queue, id: left });
          const number = store.gathering;
          store.whenCommitted(number, () => {
            told.push(number);
            if (left === 0) resolve();
          });
          if (left > 0) setImmediate(add, left - 1);
        };
        add(50);
      });
      await done;
      expect(told).toEqual(told.toSorted((a, b) => a - b));
      expect((await restart()).definitions).toEqual([{ ...queue, id: 0 }]);
    });

    it("call back at once for a batch that is committed already", async () => {
      await store.open();
      store.define(queue);
      await committed(store);
      let called = false;
      store.whenCommitted(1, () => {
        called = true;
      });
      expect(called).toBe(true);
    });

    it("need nothing to be written: a batch whose messages have all been settled commits too", async () => {
      await store.open();
      const told: number[] = [];
      store.mark(
        source((batch) => batch.wait({ committed: (tag) => told.push(tag) }, 5)),
        0,
      );
      await committed(store);
      await committed(store);
      expect(told).toEqual([5]);
      expect(store.committed).toBe(store.gathering - 1);
    });

    it("keep their order when an empty batch follows one that is being written", async () => {
      await store.open();
      const told: string[] = [];
      const waiter = { committed: (tag: number) => told.push(`waiter ${tag}`) };
      await new Promise<void>((resolve) => {
        store.mark(
          source((batch) => {
            batch.segment(segment(1, 1));
            batch.wait(waiter, 1);
            // Marked once this one is handed over, so it is in the next.
            queueMicrotask(() => {
              store.mark(
                source((next) => next.wait(waiter, 2)),
                0,
              );
              store.whenCommitted(store.gathering, () => {
                told.push("second");
                resolve();
              });
            });
          }),
          0,
        );
        store.whenCommitted(store.gathering, () => told.push("first"));
      });
      expect(told).toEqual(["waiter 1", "first", "waiter 2", "second"]);
    });

    it("happen before close() resolves, with all that is gathered meanwhile", async () => {
      await store.open();
      store.define(queue);
      store.whenCommitted(store.gathering, () => store.define({ ...queue, name: "late", id: 9 }));
      const state = await restart();
      expect(state.definitions).toHaveLength(2);
    });
  });

  describe("numbers", () => {
    it("start at 0 in an empty store", async () => {
      const { definitions: none, ...rest } = await store.open();
      expect(none).toEqual([]);
      expect(rest).toEqual({ segments: [], lastSegment: 0, lastQueueId: 0, mended: [], isTidy: true });
    });

    it("never go back when what had them is gone", async () => {
      await store.open();
      store.define({ ...queue, id: 12 });
      store.mark(
        source((batch) => batch.segment(segment(34, 1))),
        0,
      );
      await committed(store);
      store.undefine(queue);
      store.mark(
        source((batch) => batch.dropSegment(34)),
        0,
      );
      store.define({ ...queue, id: 5 });
      store.mark(
        source((batch) => batch.segment(segment(6, 1))),
        0,
      );
      expect(await restart()).toMatchObject({ lastSegment: 34, lastQueueId: 12 });
      expect(await restart()).toMatchObject({ lastSegment: 34, lastQueueId: 12 });
    });
  });
}
