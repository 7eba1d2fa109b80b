import { type ChildProcess, execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { chmodSync, mkdtempSync, rmSync, statSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import Sqlite, { type Database } from "better-sqlite3";
import { afterEach, describe, expect, it, vi } from "vitest";
import { checksumOfRow } from "../../../src/store/checksum.ts";
import { definitionTables } from "../../../src/store/definition-rows.ts";
import { smallTables } from "../../../src/store/small-tables.ts";
import type { QueueDefinition, StoreError } from "../../../src/store/store.ts";
import { type StoreSubject, storeContract } from "../../contract/store.ts";
import {
  committed,
  ListenerLog,
  letters,
  putMessages,
  readMessages,
  readText,
  segment,
  source,
} from "../../support/store.ts";
import { trafficRecord, trafficSegmentMessages } from "../../support/store-traffic.ts";
import { ThreadedStore, type ThreadedStoreType } from "../../support/threaded-store.ts";

function failOnCrash(error: StoreError): never {
  throw error;
}

function storeIn(directory: string): ThreadedStoreType {
  return new ThreadedStore({ directory, listener: new ListenerLog(), onCrash: failOnCrash });
}

function subject(directory: string): StoreSubject {
  const store = storeIn(directory);
  return {
    store,
    restart: async () => {
      await store.close();
      return subject(directory);
    },
    stop: () => store.close(),
  };
}

const directories: string[] = [];
const children: ChildProcess[] = [];

function newDirectory(): string {
  const directory = mkdtempSync(join(tmpdir(), "tsbroker-store-"));
  directories.push(directory);
  return directory;
}

function dataFile(directory: string): string {
  return join(directory, "tsbroker.db");
}

/** Changes the data file of a closed store behind its back. */
function tamper(directory: string, change: (db: Database) => void): void {
  const db = new Sqlite(dataFile(directory));
  change(db);
  db.close();
}

/** The indexes that were made for themselves, not for a table's constraints. */
function indexesOf(db: Database): string[] {
  return db
    .prepare("SELECT name FROM sqlite_schema WHERE type = 'index' AND sql IS NOT NULL")
    .pluck()
    .all()
    .map(String);
}

afterEach(() => {
  for (const child of children.splice(0)) child.kill("SIGKILL");
  for (const directory of directories.splice(0)) rmSync(directory, { recursive: true, force: true });
});

describe("ThreadedStore", () => {
  describe("as a store", () => storeContract(async () => subject(newDirectory())));

  it("creates its directory, for its own user only", async () => {
    const directory = join(newDirectory(), "a", "b");
    const store = storeIn(directory);
    await store.open();
    await store.close();
    expect(statSync(directory).mode & 0o777).toBe(0o700);
    expect(statSync(dataFile(directory)).size).toBeGreaterThan(0);
  });

  it("can be closed when it was never opened, and closed again", async () => {
    const store = storeIn(newDirectory());
    await store.close();
    await store.open();
    await store.close();
    await store.close();
  });

  it("gives the space of dropped messages back to the file system, also after a restart", async () => {
    const directory = newDirectory();
    const store = storeIn(directory);
    await store.open();
    const record = Buffer.alloc(64 * 1024);
    for (let number = 1; number <= 10; number++) {
      store.mark(
        source((batch) => {
          batch.segment(segment(number, 50));
          for (let index = 0; index < 50; index++) batch.message(number, index, 0, 0, record, 0, record.length);
        }),
        0,
      );
    }
    await committed(store);
    await vi.waitFor(() => expect(statSync(dataFile(directory)).size).toBeGreaterThan(30_000_000), 10_000);
    store.dropMessages(1);
    await committed(store);
    await store.close();
    const restarted = storeIn(directory);
    expect((await restarted.open()).segments).toEqual([]);
    await vi.waitFor(() => expect(statSync(dataFile(directory)).size).toBeLessThan(6_000_000), 10_000);
    await restarted.close();
  });

  it("brings data of an older version up to date", async () => {
    const exchange = {
      kind: "exchange",
      vhost: "/",
      name: "x",
      type: "direct",
      autoDelete: false,
      internal: false,
      arguments: new Map(),
    } as const;
    const directory = newDirectory();
    const { store, restart } = subject(directory);
    await store.open();
    store.mark(
      source((batch) => {
        batch.segment(segment(1, 1));
        putMessages(batch, 1, letters("a"));
      }),
      0,
    );
    store.define({ ...exchange, declaredBy: "alice" });
    const { store: later } = await restart();
    const newer = ["dropped_segment", "policy", "upper_limit", "global_parameter", "hidden_range", "message_table"];
    tamper(directory, (db) => {
      for (const table of newer) db.exec(`DROP TABLE ${table}`);
      for (const name of indexesOf(db)) db.exec(`DROP INDEX ${name}`);
      db.exec("CREATE INDEX segment_of_queue ON segment (queue_id)");
      db.exec("ALTER TABLE vhost DROP COLUMN protected");
      db.exec("ALTER TABLE message DROP COLUMN checksum");
      db.exec("ALTER TABLE segment DROP COLUMN ttl_ms");
      db.exec("ALTER TABLE exchange DROP COLUMN declared_by");
      for (const table of ["vhost", "user", "permission", "topic_permission", "exchange", "queue", "binding"])
        db.exec(`ALTER TABLE ${table} DROP COLUMN checksum`);
      db.pragma("user_version = 1");
    });
    const recovered = await later.open();
    expect(recovered.segments).toEqual([segment(1, 1)]);
    expect(recovered.definitions).toEqual([exchange]);
    expect(await readText(later, 1)).toBe("0a");
    await later.close();
    tamper(directory, (db) => expect(db.pragma("user_version", { simple: true })).toBe(9));
  });

  it("brings data up to date that was mended before", async () => {
    const directory = newDirectory();
    const { store, restart } = subject(directory);
    await store.open();
    const queue = (name: string, id: number): QueueDefinition => ({
      kind: "queue",
      vhost: "/",
      name,
      id,
      autoDelete: false,
      arguments: new Map(),
    });
    const [first, second] = [queue("first", 1), queue("second", 2)];
    store.define(first);
    const { store: later } = await restart();
    tamper(directory, (db) => {
      db.exec("DROP INDEX exchange_copy");
      db.exec("ALTER TABLE exchange DROP COLUMN declared_by");
      db.exec("CREATE INDEX exchange_copy ON exchange (vhost, name, type, auto_delete, internal, arguments, checksum)");
      for (const { table } of Object.values(definitionTables)) {
        const columns = db.prepare(`SELECT name FROM pragma_index_info('${table}_copy')`).pluck().all().map(String);
        db.exec(`DROP INDEX ${table}_copy`);
        db.exec(`ALTER TABLE ${table} DROP COLUMN checksum`);
        // What a mended table has, beside what is left of the damaged one.
        db.exec(`CREATE TABLE damaged_${table}_1 (name TEXT)`);
        db.exec(`CREATE INDEX ${table}_copy ON damaged_${table}_1 (name)`);
        db.exec(
          `CREATE INDEX ${table}_copy_1 ON ${table} (${columns.filter((name) => name !== "checksum").join(", ")})`,
        );
      }
      db.pragma("user_version = 8");
    });
    expect((await later.open()).definitions).toEqual([first]);
    later.define(second);
    await later.close();
    tamper(directory, (db) => {
      for (const { table, key, columns } of Object.values(definitionTables)) {
        const indexed = db.prepare(`SELECT name FROM pragma_index_info('${table}_copy_1')`).pluck().all();
        expect(indexed.map(String).sort()).toEqual([...key, ...columns, "checksum"].sort());
      }
      const sums = db.prepare("SELECT vhost, name, id, auto_delete, arguments, checksum FROM queue").raw().all();
      for (const row of sums)
        expect(Array.from(Object(row)).at(-1)).toBe(checksumOfRow(Array.from(Object(row)).slice(0, -1)));
      expect(sums).toHaveLength(2);
    });
  });

  it("has every table but those of messages twice, whole", async () => {
    const directory = newDirectory();
    const store = storeIn(directory);
    await store.open();
    await store.close();
    tamper(directory, (db) => {
      const tables = db
        .prepare("SELECT name FROM sqlite_schema WHERE type = 'table' AND name <> 'message'")
        .pluck()
        .all();
      expect([...smallTables].sort()).toEqual(tables.map(String).sort());
      for (const name of indexesOf(db)) {
        const table = name.replace(/_copy$/, "");
        const columns = db.prepare("SELECT name FROM pragma_table_info(?) ORDER BY name").pluck();
        expect(db.prepare("SELECT name FROM pragma_index_info(?) ORDER BY name").pluck().all(name)).toEqual(
          columns.all(table),
        );
      }
      expect(indexesOf(db)).toHaveLength(tables.length);
    });
  });

  it("lets people look at the data while it runs", async () => {
    const directory = newDirectory();
    const store = storeIn(directory);
    await store.open();
    store.define({ kind: "queue", vhost: "/", name: "orders", id: 3, autoDelete: false, arguments: new Map() });
    store.mark(
      source((batch) => {
        batch.segment(segment(9, 2, { queueId: 3, bodyBytes: 2 }));
        putMessages(batch, 9, letters("ab"));
      }),
      0,
    );
    await committed(store);
    const db = new Sqlite(dataFile(directory), { readonly: true });
    expect(db.prepare("SELECT * FROM queue_depth").all()).toEqual([
      { vhost: "/", queue: "orders", messages: 2, body_bytes: 2 },
    ]);
    expect(db.prepare("SELECT queue, CAST(record AS TEXT) AS text FROM queue_message").all()).toEqual([
      { queue: "orders", text: "a" },
      { queue: "orders", text: "b" },
    ]);
    db.close();
    await store.close();
  });
});

describe("Data that cannot be used", () => {
  async function created(): Promise<string> {
    const directory = newDirectory();
    const store = storeIn(directory);
    await store.open();
    await store.close();
    return directory;
  }

  it("is refused when a newer version wrote it", async () => {
    const directory = await created();
    tamper(directory, (db) => db.pragma("user_version = 1000"));
    await expect(storeIn(directory).open()).rejects.toMatchObject({
      name: "StoreError",
      message: `data file '${dataFile(directory)}' was written by a newer tsbroker (schema 1000, this one knows 9): run that version or restore a backup`,
    });
  });

  it("is refused when it is no database", async () => {
    const directory = newDirectory();
    writeFileSync(dataFile(directory), "nothing that SQLite knows ".repeat(1000));
    await expect(storeIn(directory).open()).rejects.toMatchObject({
      name: "StoreError",
      message: `'${dataFile(directory)}' is not a data file of tsbroker, or its first page is damaged: file is not a database`,
    });
  });

  it("is refused when it is another program's, and left as it is", async () => {
    const directory = newDirectory();
    tamper(directory, (db) => db.exec("CREATE TABLE theirs (x)"));
    await expect(storeIn(directory).open()).rejects.toMatchObject({
      name: "StoreError",
      message: `'${dataFile(directory)}' is not a data file of tsbroker: it is another program's SQLite database`,
    });
    tamper(directory, (db) => expect(db.pragma("journal_mode", { simple: true })).toBe("delete"));
  });

  it("is refused when a definition in it cannot be read", async () => {
    const directory = await created();
    tamper(directory, (db) =>
      db.exec("INSERT INTO queue (vhost, name, id, auto_delete, arguments) VALUES ('/', 'orders', 1, 0, 'no JSON')"),
    );
    await expect(storeIn(directory).open()).rejects.toMatchObject({
      name: "StoreError",
      message: `the data file is damaged: it holds the queue ["/","orders",1,0,"no JSON"]`,
    });
  });

  it("is refused where no directory can be", async () => {
    const file = join(newDirectory(), "file");
    writeFileSync(file, "");
    await expect(storeIn(join(file, "data")).open()).rejects.toMatchObject({
      name: "StoreError",
      message: expect.stringMatching(`^data directory '${file}/data' cannot be used: `),
    });
  });

  // Nothing is forbidden to root.
  it.skipIf(process.getuid?.() === 0)("is refused where it may not be written", async () => {
    const directory = await created();
    chmodSync(directory, 0o500);
    await expect(storeIn(directory).open()).rejects.toMatchObject({ name: "StoreError" });
    chmodSync(directory, 0o700);
  });

  it("is refused while another store has it open, and free again when that has closed", async () => {
    const directory = newDirectory();
    const first = storeIn(directory);
    await first.open();
    const second = storeIn(directory);
    await expect(second.open()).rejects.toMatchObject({
      name: "StoreError",
      message: `data directory '${directory}' is in use by another tsbroker`,
    });
    await second.close();
    await first.close();
    const third = storeIn(directory);
    await third.open();
    await third.close();
  });
});

describe("A disk that refuses", () => {
  const queue: QueueDefinition = {
    kind: "queue",
    vhost: "/",
    name: "orders",
    id: 1,
    autoDelete: false,
    arguments: new Map(),
  };
  const locked = "failing: the data cannot be written: database is locked";

  /** A store that cannot write, by somebody else's transaction on its file, and has tried to. */
  async function refused(): Promise<{ store: ThreadedStoreType; listener: ListenerLog; other: Database }> {
    const directory = newDirectory();
    const listener = new ListenerLog();
    const store = new ThreadedStore({ directory, listener, onCrash: failOnCrash });
    await store.open();
    store.mark(
      source((batch) => {
        batch.segment(segment(1, 1));
        putMessages(batch, 1, letters("a"));
      }),
      0,
    );
    await committed(store);
    const other = new Sqlite(dataFile(directory));
    other.exec("BEGIN IMMEDIATE");
    store.define(queue);
    await vi.waitFor(() => expect(listener.heard).toEqual([locked]), 10_000);
    return { store, listener, other };
  }

  it("is tried again until it takes what was kept, and reads go on meanwhile", async () => {
    const { store, listener, other } = await refused();
    expect(await readText(store, 1)).toBe("0a");
    expect([store.gathering, store.committed]).toEqual([3, 1]);
    other.close();
    await committed(store);
    await vi.waitFor(() => expect(listener.heard).toEqual([locked, "recovered"]), 10_000);
    expect(store.committed).toBe(store.gathering - 1);
    await store.close();
  });

  it("makes close() reject, since not everything is kept", async () => {
    const { store, other } = await refused();
    await expect(store.close()).rejects.toMatchObject({
      name: "StoreError",
      message: "closed with changes that could not be written: database is locked",
    });
    other.close();
  });
});

describe("A writer that fails by a mistake", () => {
  it("is told of, and nothing is committed any more", async () => {
    const directory = newDirectory();
    const listener = new ListenerLog();
    const crashes: string[] = [];
    const store = new ThreadedStore({ directory, listener, onCrash: (error) => crashes.push(error.message) });
    await store.open();
    tamper(directory, (db) => db.exec("DROP TABLE vhost"));
    store.define({
      kind: "vhost",
      name: "/",
      description: "",
      tags: [],
      defaultQueueType: undefined,
      protectedFromDeletion: false,
    });
    let told = false;
    store.whenCommitted(store.gathering, () => {
      told = true;
    });
    const message = "the store's writer has failed: no such table: vhost";
    await vi.waitFor(() => expect(crashes).toEqual([message]), 10_000);
    expect(listener.heard).toEqual([`failing: ${message}`]);
    await expect(store.close()).rejects.toMatchObject({ name: "StoreError", message });
    expect(told).toBe(false);
  });
});

describe("A process that is killed", () => {
  const traffic = join(import.meta.dirname, "../../support/store-traffic.ts");
  const tsx = createRequire(import.meta.url).resolve("tsx");

  /** Starts the traffic, with a limit in KiB on the size of each file it writes. */
  function startTraffic(directory: string, fileKiBMax = "unlimited"): ChildProcess {
    const command = `ulimit -S -f ${fileKiBMax}; exec "$0" --import "$1" "$2" "$3"`;
    const args = ["-c", command, process.execPath, tsx, traffic, directory];
    const child = spawn("bash", args, { stdio: ["ignore", "pipe", "inherit"] });
    children.push(child);
    return child;
  }

  /** The lines a child prints, until `isEnough` says so; then it is killed, and what it still printed is added. */
  async function linesUntil(child: ChildProcess, isEnough: (lines: string[]) => boolean): Promise<string[]> {
    const lines: string[] = [];
    if (child.stdout === null) return lines;
    for await (const line of createInterface(child.stdout)) {
      lines.push(line);
      if (isEnough(lines)) child.kill("SIGKILL");
    }
    if (child.exitCode === null && child.signalCode === null) await once(child, "exit");
    expect(child.signalCode).toBe("SIGKILL");
    return lines;
  }

  function committedIn(lines: readonly string[]): number[] {
    return lines.filter((line) => line.startsWith("committed ")).map((line) => Number(line.slice(10)));
  }

  async function expectStored(directory: string, messages: readonly number[]): Promise<void> {
    const store = storeIn(directory);
    const { segments } = await store.open();
    const stored = new Map<number, string>();
    for (const { number, count } of segments) {
      const found = await readMessages(store, number);
      expect(found).toHaveLength(count);
      const first = (number - 1) * trafficSegmentMessages;
      for (const { index, record } of found) stored.set(first + index, record.toString());
    }
    await store.close();
    const wrong = messages.filter((n) => stored.get(n) !== trafficRecord(n).toString());
    expect(wrong).toEqual([]);
  }

  it("loses nothing that was committed", async () => {
    const directory = newDirectory();
    const lines = await linesUntil(startTraffic(directory), (all) => all.length >= 20_000);
    const messages = committedIn(lines);
    expect(messages.length).toBeGreaterThanOrEqual(20_000);
    await expectStored(directory, messages);
  });

  it("keeps other processes out while it lives, and its lock dies with it", async () => {
    const directory = newDirectory();
    const child = startTraffic(directory);
    let refused: Promise<unknown> | undefined;
    await linesUntil(child, (lines) => {
      refused ??= storeIn(directory)
        .open()
        .catch((error: unknown) => error);
      void refused.then(() => child.kill("SIGKILL"));
      return lines.length > 1_000_000;
    });
    expect(await refused).toMatchObject({
      message: `data directory '${directory}' is in use by another tsbroker`,
    });
    await expectStored(directory, []);
  });

  const canLimit = process.platform === "linux" && hasCommand("prlimit");

  it.skipIf(!canLimit)("commits nothing while files cannot grow, and everything once they can", async () => {
    const directory = newDirectory();
    const child = startTraffic(directory, "4096");
    let recoveredAt = Number.POSITIVE_INFINITY;
    const lines = await linesUntil(child, (all) => {
      const last = all.at(-1);
      if (last === "failing") execFileSync("prlimit", ["--pid", String(child.pid), "--fsize=unlimited:"]);
      if (last === "recovered") recoveredAt = all.length;
      return all.length >= recoveredAt + 20_000;
    });
    const failedAt = lines.indexOf("failing");
    expect(lines.filter((line) => !line.startsWith("committed "))).toEqual(["failing", "recovered"]);
    const before = committedIn(lines.slice(0, failedAt));
    expect(before.length).toBeGreaterThan(0);
    await expectStored(directory, committedIn(lines));
  });
});

function hasCommand(command: string): boolean {
  try {
    execFileSync(command, ["--version"], { stdio: "ignore" });
    return true;
  } catch {
    return false;
  }
}
