import type {
  Batch,
  BatchSource,
  Damage,
  Store,
  StoredMessages,
  StoredSegment,
  StoreListener,
} from "../../src/store/store.ts";

/** A source that packs what `pack` says, and has nothing left then. */
export function source(pack: (batch: Batch) => void): BatchSource {
  return {
    pack: (batch) => {
      pack(batch);
      return false;
    },
  };
}

/** A segment's state; what is not given is 0, its queue 1. */
export function segment(number: number, count: number, rest: Partial<StoredSegment> = {}): StoredSegment {
  return { number, queueId: 1, level: 0, count, bodyBytes: 0, deliveredTo: 0, firstExpiresAt: 0, ttlMs: -1, ...rest };
}

export interface StoredMessage {
  readonly index: number;
  readonly record: Buffer;
  readonly flags?: number;
  readonly expiresAt?: number;
}

/** Packs messages into a segment. */
export function putMessages(batch: Batch, number: number, messages: readonly StoredMessage[]): void {
  for (const { index, record, flags = 0, expiresAt = 0 } of messages) {
    batch.message(number, index, flags, expiresAt, record, 0, record.length);
  }
}

/** Records "a", "b" ... at indexes from 0. */
export function letters(text: string): StoredMessage[] {
  return [...text].map((letter, index) => ({ index, record: Buffer.from(letter) }));
}

/** Resolves when everything that was added to the store is committed. */
export function committed(store: Store): Promise<void> {
  return new Promise((resolve) => store.whenCommitted(store.gathering, resolve));
}

/** The messages of a segment, one by one. */
export function readMessages(store: Store, number: number): Promise<Required<StoredMessage>[]> {
  return new Promise((resolve) => store.readSegment(number, (messages) => resolve(rows(messages))));
}

function rows({ indexes, flags, expiresAt, ends, bytes }: StoredMessages): Required<StoredMessage>[] {
  return Array.from(indexes, (index, i) => ({
    index,
    record: bytes.subarray(ends[i - 1] ?? 0, ends[i]),
    flags: flags[i] ?? -1,
    expiresAt: expiresAt[i] ?? -1,
  }));
}

/** The records of a segment as text, with their indexes: "0a 1b". */
export async function readText(store: Store, number: number): Promise<string> {
  const messages = await readMessages(store, number);
  return messages.map(({ index, record }) => `${index}${record.toString()}`).join(" ");
}

/** Notes what a listener hears. */
export class ListenerLog implements StoreListener {
  readonly heard: string[] = [];

  storeFailing(error: Error): void {
    this.heard.push(`failing: ${error.message}`);
  }

  storeRecovered(): void {
    this.heard.push("recovered");
  }

  storeMended(tables: readonly string[]): void {
    this.heard.push(`mended: ${tables.join(", ")}`);
  }

  storeUntidy(): void {
    this.heard.push("untidy");
  }

  storeDamaged({ vhost, queue, messages }: Damage): void {
    this.heard.push(`damaged: ${messages} in ${queue} of ${vhost}`);
  }
}
