import { Histogram } from "../histogram.ts";

const commitSeconds: readonly number[] = [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 10];
const groupSizes: readonly number[] = [0, 1, 2, 5, 10, 25, 50, 100, 250, 500, 1000, 2500, 10_000, 100_000];

/** What was written so far, batch by batch. */
export class CommitStats {
  /** Seconds from handing a batch over until it was on disk. */
  readonly seconds = new Histogram(commitSeconds);
  /** Messages in a batch. */
  readonly messages = new Histogram(groupSizes);
  /** Bytes of messages and of what happened to them. */
  bytes = 0;

  committed(startedAt: number, messages: number, bytes: number): void {
    this.seconds.observe((performance.now() - startedAt) / 1000);
    this.messages.observe(messages);
    this.bytes += bytes;
  }
}
