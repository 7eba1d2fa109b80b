import type { CommitWaiter } from "../../store/store.ts";

/** How confirms go out; a tag with `multiple` covers all before it. */
export interface ConfirmSink {
  ack(deliveryTag: number, multiple: boolean): void;
  nack(deliveryTag: number, multiple: boolean): void;
  /** Something was settled: {@link PublisherConfirms.send} should be called at the end of the turn. */
  confirmsPending(): void;
}

const capacityFirst = 64;

/**
 * The publishes of a channel in confirm mode that were not confirmed yet, in a ring by publish number. A publish is
 * settled when all its queues have it safe; confirms go out in order of publishing, gathered with `multiple`, and a
 * publish that overtakes unsettled ones is confirmed by itself.
 */
export class PublisherConfirms implements CommitWaiter {
  readonly #sink: ConfirmSink;
  /** By publish number modulo capacity: queues that have not answered; `sent` and `refused` are below. */
  #outstanding = new Int32Array(capacityFirst);
  #refused = new Uint8Array(capacityFirst);
  /** The oldest publish without a confirm, and the next to come. */
  #first = 1;
  #next = 1;
  /** Settled publishes behind an unsettled one. */
  #overtakers: number[] = [];
  #pending = false;
  /** Confirmed by the call of {@link send} that runs. */
  #confirmed = 0;

  constructor(sink: ConfirmSink) {
    this.#sink = sink;
  }

  /** Publishes that wait for their confirm. */
  get unconfirmed(): number {
    return this.#next - this.#first;
  }

  /** Numbers a publish that `queues` queues must settle, and returns the number; none settles it at once. */
  begin(queues: number): number {
    const tag = this.#next++;
    if (tag - this.#first >= this.#outstanding.length) this.#grow();
    const at = tag & (this.#outstanding.length - 1);
    this.#refused[at] = 0;
    this.#outstanding[at] = queues;
    if (queues === 0) this.#settled(tag);
    return tag;
  }

  /** One of the publish's queues has it safe. */
  committed(tag: number): void {
    const at = tag & (this.#outstanding.length - 1);
    const left = (this.#outstanding[at] ?? 0) - 1;
    this.#outstanding[at] = left;
    if (left === 0) this.#settled(tag);
  }

  /** One of the publish's queues does not take it: the publisher gets a nack. */
  rejected(tag: number): void {
    this.#refused[tag & (this.#outstanding.length - 1)] = 1;
    this.committed(tag);
  }

  #settled(tag: number): void {
    if (tag !== this.#first) this.#overtakers.push(tag);
    if (this.#pending) return;
    this.#pending = true;
    this.#sink.confirmsPending();
  }

  /** Sends what is settled; returns how many publishes that confirms. */
  send(): number {
    this.#pending = false;
    this.#confirmed = 0;
    this.#sendInOrder();
    const overtakers = this.#overtakers;
    if (overtakers.length === 0) return this.#confirmed;
    this.#overtakers = [];
    for (const tag of overtakers) if (tag >= this.#first && this.#isSettled(tag)) this.#sendAlone(tag);
    return this.#confirmed;
  }

  #sendInOrder(): void {
    while (this.#first < this.#next) {
      const state = this.#outstanding[this.#at(this.#first)] ?? 0;
      if (state > 0) return;
      if (state === sent) this.#first++;
      else this.#sendRun();
    }
  }

  /** Confirms the longest run of settled publishes of one kind that starts at #first. */
  #sendRun(): void {
    const start = this.#first;
    const refused = this.#refused[this.#at(start)];
    let end = start + 1;
    while (end < this.#next && this.#outstanding[this.#at(end)] === 0 && this.#refused[this.#at(end)] === refused)
      end++;
    this.#first = end;
    // RabbitMQ says multiple of a run of one when it refuses, but not when it confirms.
    if (refused === 1) return this.#sink.nack(end - 1, true);
    this.#confirmed += end - start;
    this.#sink.ack(end - 1, end - start > 1);
  }

  #isSettled(tag: number): boolean {
    return this.#outstanding[this.#at(tag)] === 0;
  }

  #sendAlone(tag: number): void {
    const at = this.#at(tag);
    this.#outstanding[at] = sent;
    if (this.#refused[at] === 1) return this.#sink.nack(tag, false);
    this.#confirmed++;
    this.#sink.ack(tag, false);
  }

  #at(tag: number): number {
    return tag & (this.#outstanding.length - 1);
  }

  #grow(): void {
    const size = this.#outstanding.length;
    const outstanding = new Int32Array(size * 2);
    const refused = new Uint8Array(size * 2);
    for (let tag = this.#first; tag < this.#next - 1; tag++) {
      outstanding[tag & (size * 2 - 1)] = this.#outstanding[tag & (size - 1)] ?? 0;
      refused[tag & (size * 2 - 1)] = this.#refused[tag & (size - 1)] ?? 0;
    }
    this.#outstanding = outstanding;
    this.#refused = refused;
  }
}

/** In #outstanding: confirmed already, ahead of its turn. */
const sent = -1;
