import type { Socket } from "node:net";
import { readShared } from "../shared-reads.ts";

/**
 * A publisher whose queue's consumers fall behind is not read from for so long after each 64 KiB: it may still send
 * 32 MB/s, but no more than that is spent on taking in what must then wait, out of the processor's cache. One that sends
 * little, or waits for each confirm, hardly notices.
 */
const restMs = 2;
const restAfterBytes = 64 * 1024;
/** After so many bytes from one connection the others have their turn; the socket would else be read on while it can. */
const readBytesInTurnMax = 256 * 1024;

/** Who takes what a socket's input reads. */
export interface InputListener {
  /** True while nothing more can be taken. When that changes the input must be told ({@link SocketInput.goOn}). */
  readonly mustWait: boolean;
  /** Takes what was read; copies what must outlive the call. */
  bytesCame(chunk: Buffer): void;
  /** Takes up what had to wait. */
  waitOver(): void;
}

/** A connection's way in: reads its socket, and does not while the publisher must wait, rest, or make way for others. */
export class SocketInput {
  readonly socket: Socket;
  /** How often something was read from the socket. */
  reads = 0;
  readonly #listener: InputListener;
  #tookBytes = false;
  #rests = false;
  #readSinceRest = 0;
  /** Bytes read since the connection last made way for others, and whether it does now. */
  #readInTurn = 0;
  #makesWay = false;

  /** Takes over an accepted, paused socket. */
  constructor(accepted: Socket, listener: InputListener) {
    this.#listener = listener;
    this.socket = readShared(accepted, (chunk) => this.#take(chunk));
  }

  /** Whether flow control keeps it from reading. */
  get isHeld(): boolean {
    return this.#rests || this.#listener.mustWait;
  }

  #take(chunk: Buffer): void {
    this.#tookBytes = true;
    this.reads++;
    this.#readSinceRest += chunk.length;
    this.#listener.bytesCame(chunk);
    this.#readInTurn += chunk.length;
    if (this.#readInTurn >= readBytesInTurnMax) this.#makeWay();
    if (this.#makesWay || this.isHeld) this.socket.pause();
  }

  #makeWay(): void {
    this.#readInTurn = 0;
    this.#makesWay = true;
    setImmediate(() => {
      this.#makesWay = false;
      this.goOn();
    });
  }

  /** The client publishes faster than its messages are consumed: when it sent much it is not read from for a moment. */
  rest(): void {
    if (this.#rests || this.#readSinceRest < restAfterBytes) return;
    this.#readSinceRest = 0;
    this.#rests = true;
    setTimeout(() => {
      this.#rests = false;
      this.goOn();
    }, restMs).unref();
  }

  /** Goes on with what had to wait, then with the socket. */
  goOn(): void {
    this.#listener.waitOver();
    if (!this.#makesWay && !this.isHeld && this.socket.isPaused()) this.socket.resume();
  }

  /** Whether something came since this was last asked. While it does not read, silence says nothing about the peer. */
  tookBytes(): boolean {
    const took = this.#tookBytes || this.socket.isPaused();
    this.#tookBytes = false;
    return took;
  }
}
