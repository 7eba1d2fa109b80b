import type { Socket } from "node:net";
import { FrameWriter, recycle } from "./codec/frame-writer.ts";

/** Output gathered beyond this is written at once instead of at the end of the turn. */
const gatherBytesMax = 128 * 1024;
/** A connection is given no more deliveries in a turn beyond this, so that the others have theirs. */
const turnBytesMax = 1024 * 1024;

/** Flushes connections once at the end of each turn of the event loop. */
export class OutputTurns {
  #pending: SocketOutput[] = [];

  add(output: SocketOutput): void {
    if (this.#pending.length === 0) setImmediate(() => this.#flush());
    this.#pending.push(output);
  }

  #flush(): void {
    const pending = this.#pending;
    this.#pending = [];
    for (const output of pending) output.endTurn();
  }
}

/** Wants to be served when the output has room again. */
export interface Starved {
  serve(): void;
}

/** What a socket's output tells its connection. */
export interface OutputListener {
  /** The turn ends: last chance to write something into it. */
  turnEnding(): void;
  /** The socket has taken all that waited. */
  outputDrained(): void;
}

/** A connection's way out: gathers frames, writes them once a turn, and says when there is no room for more. */
export class SocketOutput {
  readonly writer = new FrameWriter();
  /** How often something was written to the socket. */
  writes = 0;
  readonly #socket: Socket;
  readonly #turns: OutputTurns;
  readonly #listener: OutputListener;
  readonly #starved = new Set<Starved>();
  readonly #sent = (): void => this.#drained();
  #inTurn = false;
  #turnBytes = 0;
  /** The kernel did not take everything. */
  #full = false;
  #sentBytes = false;
  /** Chunks that the socket still sends from. */
  #lent: Buffer[] = [];

  constructor(socket: Socket, turns: OutputTurns, listener: OutputListener) {
    this.#socket = socket;
    this.#turns = turns;
    this.#listener = listener;
  }

  /** Whether a consumer's delivery may be written now. */
  hasRoom(): boolean {
    return !this.#full && this.#turnBytes + this.writer.size < turnBytesMax;
  }

  /** Whether the peer has not taken what was written before. */
  get full(): boolean {
    return this.#full;
  }

  /** Bytes that the socket has not taken yet. */
  get backlog(): number {
    return this.writer.size + this.#socket.writableLength;
  }

  /** Serves `starved` once there is room again. */
  starve(starved: Starved): void {
    this.#starved.add(starved);
    this.#joinTurn();
  }

  /** Something was written: it goes out at the end of the turn at the latest. */
  wrote(): void {
    this.#joinTurn();
    if (this.writer.size >= gatherBytesMax) this.flush();
  }

  #joinTurn(): void {
    if (this.#inTurn) return;
    this.#inTurn = true;
    this.#turns.add(this);
  }

  /** Writes what was gathered. */
  flush(): void {
    const { size } = this.writer;
    if (size === 0) return;
    this.#turnBytes += size;
    this.writes++;
    this.#sentBytes = true;
    const { parts, chunks } = this.writer.take();
    this.#write(parts);
    if (this.#full) this.#lent.push(...chunks);
    else recycle(chunks);
  }

  #write(parts: readonly Buffer[]): void {
    const socket = this.#socket;
    if (socket.destroyed || socket.writableEnded) return;
    const last = parts.length - 1;
    if (last > 0) socket.cork();
    for (let i = 0; i < last; i++) socket.write(parts[i] ?? "");
    socket.write(parts[last] ?? "", this.#sent);
    if (last > 0) socket.uncork();
    if (socket.writableLength > 0) this.#full = true;
  }

  #drained(): void {
    if (!this.#full || this.#socket.writableLength > 0) return;
    this.#full = false;
    recycle(this.#lent);
    this.#lent = [];
    this.#listener.outputDrained();
    this.#serve();
  }

  /** The turn is over: flushes, and serves who was kept waiting if there is room. */
  endTurn(): void {
    this.#listener.turnEnding();
    this.flush();
    this.#inTurn = false;
    this.#turnBytes = 0;
    if (!this.#full) this.#serve();
  }

  #serve(): void {
    if (this.#starved.size === 0) return;
    const starved = [...this.#starved];
    this.#starved.clear();
    for (const each of starved) each.serve();
  }

  /** Whether something was written since this was last asked. */
  sentBytes(): boolean {
    const sent = this.#sentBytes;
    this.#sentBytes = false;
    return sent;
  }
}
