import { mkdtempSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, describe, expect, it } from "vitest";
import type { StoreError } from "../../../src/store/store.ts";
import { type StoreSubject, storeContract } from "../../contract/store.ts";
import { ListenerLog } from "../../support/store.ts";
import { ThreadedStore, type ThreadedStoreType } from "../../support/threaded-store.ts";

function failOnCrash(error: StoreError): never {
  throw error;
}

function open(directory: string): ThreadedStoreType {
  return new ThreadedStore({ directory, listener: new ListenerLog(), onCrash: failOnCrash });
}

function subject(directory: string): StoreSubject {
  const store = open(directory);
  return {
    store,
    restart: async () => {
      await store.close();
      return subject(directory);
    },
    stop: async () => {
      await store.close();
      rmSync(directory, { recursive: true });
    },
  };
}

const directories: string[] = [];

function newDirectory(): string {
  const directory = mkdtempSync(join(tmpdir(), "tsbroker-store-"));
  directories.push(directory);
  return directory;
}

afterEach(() => {
  for (const directory of directories.splice(0)) rmSync(directory, { recursive: true, force: true });
});

describe("ThreadedStore", () => {
  describe("as a store", () => storeContract(async () => subject(newDirectory())));

  it("creates its directory, for its own user only", async () => {
    const directory = join(newDirectory(), "a", "b");
    const store = open(directory);
    await store.open();
    await store.close();
    expect(statSync(directory).mode & 0o777).toBe(0o700);
    expect(statSync(join(directory, "tsbroker.db")).size).toBeGreaterThan(0);
  });
});
