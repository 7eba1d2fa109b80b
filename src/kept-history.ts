import { type History, historyBytesMax } from "./exchange/history.ts";
import { emptyTable } from "./field-table.ts";
import { HeldQueue, type HoldingVhost } from "./held-queue.ts";
import { parseQueueArguments } from "./queue/arguments.ts";
import { QueueScan } from "./queue/queue-scan.ts";
import { Message } from "./record.ts";

const noPauses = { isOver: false, next: async () => {} };

/** Keeps the history of a durable x-recent-history exchange over restarts, in a queue of the same length. */
export class KeptHistory extends HeldQueue {
  readonly #history: History;
  readonly #message = new Message();

  constructor(vhost: HoldingVhost, exchange: string, id: number, history: History) {
    const options = {
      ...parseQueueArguments(emptyTable, exchange),
      maxLength: history.length,
      maxLengthBytes: historyBytesMax,
    };
    super(vhost, exchange, { purpose: "recent-history", id, durable: true, options });
    this.#history = history;
    history.kept = (record) => this.#keep(record);
  }

  /** Reads what was kept before the start. */
  async load(): Promise<void> {
    await new QueueScan(this.queue, noPauses, "look").run(0, ({ message }) => {
      this.#history.restore(message.toRecord());
      return true;
    });
  }

  #keep(record: Buffer): void {
    this.queue.enqueue(this.#message.setOwned(record), undefined, 0);
    this.store.hurry();
  }

  /** What is too old for the history is gone. */
  override deadLetter(): void {}
}
