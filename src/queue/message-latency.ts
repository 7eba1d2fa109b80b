import { Histogram, secondsBounds } from "../histogram.ts";
import type { Segment } from "./segment.ts";

/** Of so many messages into a queue one is timed, a power of two. */
export const sampledOf = 32;

/** How long messages take from the moment a queue has them. */
export class MessageLatency {
  /** Seconds until they are first delivered. */
  readonly delivered = new Histogram(secondsBounds);
  /** Seconds until they are acked, of those that must be. */
  readonly acked = new Histogram(secondsBounds);
}

/** Times one message of a queue at a time, so that timing costs a comparison where a message is delivered or settled. */
export class LatencyProbe {
  readonly #latency: MessageLatency;
  #segment: Segment | undefined;
  #index = 0;
  #since = 0;
  #isDelivered = false;

  constructor(latency: MessageLatency) {
    this.#latency = latency;
  }

  /** Watches a message that came in now, unless the one before is still there. */
  watch(segment: Segment, index: number, now: number): void {
    if (this.#segment !== undefined && this.#segment.live > 0) return;
    this.#segment = segment;
    this.#index = index;
    this.#since = now;
    this.#isDelivered = false;
  }

  isOf(segment: Segment, index: number): boolean {
    return index === this.#index && segment === this.#segment;
  }

  /** The message that is watched goes to a consumer. */
  delivered(now: number): void {
    if (this.#isDelivered) return;
    this.#isDelivered = true;
    this.#latency.delivered.observe(this.#seconds(now));
  }

  /** The consumer has acked it. */
  acked(now: number): void {
    this.#latency.acked.observe(this.#seconds(now));
  }

  /** It is no longer in the queue. */
  settled(): void {
    this.#segment = undefined;
  }

  /** A message was handed to a consumer as it came. */
  handedOver(): void {
    this.#latency.delivered.observe(0);
  }

  #seconds(now: number): number {
    return Math.max(0, now - this.#since) / 1000;
  }
}
