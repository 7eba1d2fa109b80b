import { type FrameHandler, frameType } from "../../src/protocol/amqp/codec/frame-decoder.ts";

export interface Frame {
  readonly type: number;
  readonly channel: number;
  readonly payload: Buffer;
}

/** Notes the frames it is given; body frames that follow each other on a channel, and their parts, count as one. */
export class FrameLog implements FrameHandler {
  readonly frames: Frame[] = [];
  readonly #refuse: () => boolean;
  readonly #lastOf = new Map<number, number>();

  /** `refuse` says for each frame and part whether it is sent away at first. */
  constructor(refuse: () => boolean = () => false) {
    this.#refuse = refuse;
  }

  frame(type: number, channel: number, bytes: Buffer, start: number, end: number): boolean {
    if (this.#refuse()) return false;
    this.add({ type, channel, payload: Buffer.from(bytes.subarray(start, end)) });
    return true;
  }

  bodyPart(channel: number, bytes: Buffer, start: number, end: number): boolean {
    return this.frame(frameType.body, channel, bytes, start, end);
  }

  /** The frames as text, which is quicker to compare than buffers. */
  lines(): string[] {
    return this.frames.map(({ type, channel, payload }) => `${type} ${channel} ${payload.toString("latin1")}`);
  }

  add(frame: Frame): void {
    const at = this.#lastOf.get(frame.channel) ?? -1;
    const last = this.frames[at];
    if (last !== undefined && last.type === frameType.body && frame.type === frameType.body) {
      this.frames[at] = { ...last, payload: Buffer.concat([last.payload, frame.payload]) };
      return;
    }
    this.#lastOf.set(frame.channel, this.frames.length);
    this.frames.push(frame);
  }
}

/** Cuts bytes into chunks of these sizes, over and over; 0 counts as 1. */
export function cut(bytes: Buffer, sizes: readonly number[]): Buffer[] {
  const chunks: Buffer[] = [];
  for (let at = 0, i = 0; at < bytes.length; i++) {
    const size = Math.max(1, sizes[i % sizes.length] ?? bytes.length);
    // A chunk of its own, as a socket gives them.
    chunks.push(Buffer.from(bytes.subarray(at, at + size)));
    at += size;
  }
  return chunks;
}

/** Answers from a list, over and over; never yes twice in a row, so that what is asked gets on. */
export function answers(list: readonly boolean[]): () => boolean {
  let at = 0;
  let last = false;
  return () => {
    last = !last && list[at++ % Math.max(1, list.length)] === true;
    return last;
  };
}
