import assert from "node:assert/strict";
import { type MessagePort, parentPort, workerData } from "node:worker_threads";
import { collectGarbage } from "../garbage.ts";
import { DataFile, isDiskError } from "./data-file.ts";
import type { BatchRequest, CloseRequest, ReadRequest, WriterAnswer, WriterRequest } from "./hand-over.ts";
import { isDamage } from "./segment-reader.ts";
import { StoreError } from "./store.ts";

/** How soon to try again what the disk refused. */
const retryMs = 1000;

/**
 * So often is tried to read a segment, or to write to a table of messages, of which a page is damaged or is not given by the
 * disk, which may yet give it; then what is on that page is left out.
 */
const triesMax = 3;

/** Memory of a batch beyond this is not used again, so it should go at once. */
const largeBatchBytes = 8 * 1024 * 1024;

/** How soon after a batch to tidy up, and how soon again when there is more of it and no batch has come. */
const tidyMs = 250;
const tidyOnMs = 1;

type OpenedRequest = Exclude<WriterRequest, { readonly name: "open" }>;

/** A read that did not succeed. */
interface FailedRead {
  readonly segment: number;
  readonly tries: number;
}

/** Does what the main thread asks for; what the disk refuses it keeps and tries again until it works. */
class Writer {
  readonly #file: DataFile;
  readonly #port: MessagePort;
  #batch: BatchRequest | undefined;
  /** Attempts to write it. */
  #tries = 0;
  #retry: NodeJS.Timeout | undefined;
  #failedReads: FailedRead[] = [];
  #readRetry: NodeJS.Timeout | undefined;
  #tidy: NodeJS.Timeout | undefined;
  #isBusy = false;
  #isTidy: boolean;
  #isClosing = false;

  constructor(file: DataFile, port: MessagePort) {
    this.#file = file;
    this.#isTidy = file.mender.isTidy;
    this.#port = port;
  }

  handle(request: OpenedRequest): void {
    // After a start that failed, what queues have asked for meanwhile.
    if (this.#isClosing) return;
    switch (request.name) {
      case "batch":
        this.#batch = request;
        this.#try(() => this.#commit());
        break;
      case "read":
        // A batch that fails does not hold up reads: they see what is committed.
        this.#read(request, 1);
        break;
      case "close":
        this.#close(request);
        break;
      default:
        request satisfies never;
    }
  }

  /** Deletes what was dropped and gives space back, a step now and then, step by step while nothing else is to do. */
  tidyUp(): void {
    this.#tidy ??= setTimeout(
      () => {
        this.#tidy = undefined;
        this.#isBusy = false;
        this.#try(() => {
          if (this.#file.tidySome()) this.tidyUp();
        });
      },
      this.#isBusy ? tidyMs : tidyOnMs,
    );
  }

  /** False when the disk refused; our own mistakes end the thread. */
  #try(step: () => void): boolean {
    try {
      step();
      return true;
    } catch (error) {
      if (!isDiskError(error)) throw thrown(error);
      this.#failed(error);
      return false;
    }
  }

  #failed(error: Error): void {
    if (this.#retry !== undefined) return;
    const advice = isDamage(error) ? "; if it does not go on by itself, restart the broker: a start can mend more" : "";
    this.#answer({ name: "failing", reason: `${error.message}${advice}` });
    this.#retry = setInterval(() => this.#tryAgain(), retryMs);
  }

  #tryAgain(): void {
    if (!this.#try(() => this.#commit())) return;
    clearInterval(this.#retry);
    this.#retry = undefined;
    this.#answer({ name: "recovered" });
  }

  #commit(): void {
    if (this.#batch !== undefined) {
      const { definitions, droppedQueues, memory, length } = this.#batch;
      const operations = Buffer.from(memory, 0, length);
      const isLastTry = ++this.#tries >= triesMax;
      this.#file.write({ definitions, droppedQueues, operations, isLastTry });
      this.#batch = undefined;
      this.#tries = 0;
      this.#answer({ name: "committed" });
      this.#tellMended();
      // A few objects here keep memory of many megabytes, for which nothing else would make V8 collect them. The heap is small.
      if (memory.byteLength > largeBatchBytes) setImmediate(() => collectGarbage());
      this.#isBusy = true;
      this.tidyUp();
    }
    this.#file.checkpointIfDue();
  }

  /** Answers a read, or keeps it to try again: others need not wait for it, and are not told that nothing can be written. */
  #read({ segment }: Pick<ReadRequest, "segment">, tries: number): void {
    try {
      this.#answer({ name: "read", segment, ...this.#file.read(segment, tries >= triesMax) });
      this.#tellMended();
    } catch (error) {
      if (!isDiskError(error)) throw thrown(error);
      this.#failedReads.push({ segment, tries });
      this.#readRetry ??= setTimeout(() => this.#readAgain(), retryMs);
    }
  }

  #readAgain(): void {
    this.#readRetry = undefined;
    const failed = this.#failedReads;
    this.#failedReads = [];
    for (const { segment, tries } of failed) this.#read({ segment }, tries + 1);
  }

  #tellMended(): void {
    const tables = this.#file.mender.takeMended();
    if (tables.length > 0) this.#answer({ name: "mended", tables });
    if (this.#isTidy && !this.#file.mender.isTidy) this.#answer({ name: "untidy" });
    this.#isTidy = this.#file.mender.isTidy;
  }

  #close({ abandon }: CloseRequest): void {
    assert(abandon || this.#batch === undefined, "closed with a batch to write");
    this.#isClosing = true;
    clearInterval(this.#retry);
    clearTimeout(this.#tidy);
    clearTimeout(this.#readRetry);
    this.#file.close(() => {
      this.#answer({ name: "closed" });
      this.#port.close();
    });
  }

  #answer(answer: WriterAnswer): void {
    this.#port.postMessage(answer);
  }
}

/** A mistake of ours, which ends the thread. SQLite's own error class arrives in the other one without its message. */
function thrown(error: unknown): Error {
  return new Error(error instanceof Error ? error.message : String(error), { cause: error });
}

/** Answers "opened" and serves the port, or answers "refused" and lets the thread end. */
function open(port: MessagePort, directory: string): void {
  try {
    const file = new DataFile(directory);
    const rows = file.recover();
    const writer = new Writer(file, port);
    port.on("message", (request: OpenedRequest) => writer.handle(request));
    port.postMessage({
      name: "opened",
      rows,
      mended: file.mender.takeMended(),
      isTidy: file.mender.isTidy,
    } satisfies WriterAnswer);
    writer.tidyUp();
  } catch (error) {
    if (!(error instanceof StoreError)) throw error;
    port.postMessage({ name: "refused", reason: error.message } satisfies WriterAnswer);
  }
}

const directory: unknown = workerData;
const port = parentPort;
assert(port !== null && typeof directory === "string", "the writer runs in a thread, with the data directory");
port.once("message", ({ name }: WriterRequest) => {
  assert(name === "open", "the writer is asked to open its data first");
  open(port, directory);
});
