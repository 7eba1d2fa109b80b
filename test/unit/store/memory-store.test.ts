import { describe, expect, it } from "vitest";
import { MemoryStore } from "../../../src/store/memory-store.ts";
import { type StoreSubject, storeContract } from "../../contract/store.ts";
import { committed, ListenerLog, letters, putMessages, readText, segment, source } from "../../support/store.ts";

function subject(store: MemoryStore): StoreSubject {
  return {
    store,
    restart: async () => {
      await store.close();
      return subject(new MemoryStore({ disk: store.disk }));
    },
    stop: () => store.close(),
  };
}

describe("MemoryStore", () => {
  describe("as a store", () => storeContract(async () => subject(new MemoryStore())));

  const oneMessage = source((batch) => {
    batch.segment(segment(1, 1));
    putMessages(batch, 1, letters("a"));
  });

  it("loses what is not committed when it is left without being closed", async () => {
    const store = new MemoryStore();
    await store.open();
    store.mark(oneMessage, 0);
    const restarted = new MemoryStore({ disk: store.disk });
    expect((await restarted.open()).segments).toEqual([]);
  });

  it("keeps a batch that fails, tells once, and commits it when it can", async () => {
    const listener = new ListenerLog();
    const store = new MemoryStore({ listener });
    await store.open();
    store.failNextFlushes(3);
    store.mark(oneMessage, 0);
    await committed(store);
    expect(listener.heard).toEqual(["failing: a failure that was asked for", "recovered"]);
    expect(await readText(store, 1)).toBe("0a");
  });

  it("hands over and commits when its schedule says so", async () => {
    const steps: (() => void)[] = [];
    const store = new MemoryStore({ schedule: (step) => steps.push(step) });
    await store.open();
    store.mark(oneMessage, 0);
    steps.shift()?.();
    expect([store.gathering, store.committed]).toEqual([2, 0]);
    steps.shift()?.();
    expect([store.gathering, store.committed]).toEqual([2, 1]);
    expect(steps).toEqual([]);
  });
});
