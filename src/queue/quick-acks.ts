/** Good and bad experiences are remembered up to this many. */
const scoreMax = 1024;
/** So many more messages that had to be written after all than were acked in time end the hope for a while. */
const scoreMin = -64;
/** Messages that are stored at once before acks are hoped for again. */
const restMessages = 4096;

/**
 * Whether the consumers of a queue ack so soon that it pays to hold a message back from the store for a moment: one
 * that is acked meanwhile need not be written, and is confirmed by its ack. Where consumers take their time, holding
 * back would only delay confirms.
 */
export class QuickAcks {
  #score = 0;
  #resting = 0;

  /** Asked for each message that is handed to a consumer. */
  expected(): boolean {
    if (this.#resting === 0) return true;
    this.#resting--;
    return false;
  }

  /** A message was acked before it was written. */
  inTime(): void {
    if (this.#score < scoreMax) this.#score++;
  }

  /** So many messages that were held back had to be written. */
  late(count: number): void {
    this.#score -= count;
    if (this.#score >= scoreMin) return;
    this.#score = 0;
    this.#resting = restMessages;
  }
}
