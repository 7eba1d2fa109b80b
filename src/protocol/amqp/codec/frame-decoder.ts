import { u8, u16, u32 } from "../../../bytes.ts";
import { BrokerError } from "../../../errors.ts";
import { erlangText, frameEnd } from "../../../record.ts";

/*
 *      0      1         3         7                  size+7
 *     +------+---------+---------+------------------+-----------+
 *     | type | channel | size    | payload          | frame-end |     AMQP 0-9-1, 4.2.3
 *     +------+---------+---------+------------------+-----------+
 */
export const frameType = { method: 1, header: 2, body: 3, heartbeat: 8 } as const;

/** Bytes of a frame in front of its payload. */
export const frameHeaderSize = 7;
/** Frames below this size are held back until they are whole; bodies above it are passed on in parts as they come. */
const bodyPartMin = 4096;
/** RabbitMQ lets a payload be this much larger than frame-max allows. */
const sizeFudge = 8;

/** Receives frames. `bytes` is the socket's chunk: copy what must outlive the call. */
export interface FrameHandler {
  /**
   * A whole frame with its payload in bytes[start, end). False refuses it for now: it and all behind it come again
   * after {@link FrameDecoder.resume}.
   */
  frame(type: number, channel: number, bytes: Buffer, start: number, end: number): boolean;
  /** A part of a body frame of `size` bytes that is not whole yet: the payload's next bytes. False as for frame(). */
  bodyPart(channel: number, bytes: Buffer, start: number, end: number): boolean;
}

/** Cuts a TCP byte stream into frames. Holds at most one partial frame, so its memory is bounded by frame-max. */
export class FrameDecoder {
  /** Largest frame that the peer may send, overhead included. */
  frameMax: number;
  readonly #handler: FrameHandler;
  /** What is left of the last chunk. */
  #rest: Buffer | undefined;
  #refused = false;
  /** Channel and missing payload bytes of a body frame that is being passed on in parts. */
  #partChannel = 0;
  #partMissing = -1;

  constructor(frameMax: number, handler: FrameHandler) {
    this.frameMax = frameMax;
    this.#handler = handler;
  }

  /** True while a refused frame waits for {@link resume}: give no more bytes until then. */
  get refused(): boolean {
    return this.#refused;
  }

  /** Takes the next bytes of the stream. Throws FRAME_ERROR. */
  push(chunk: Buffer): void {
    const rest = this.#rest;
    if (rest === undefined) return this.#decode(chunk, 0);
    this.#rest = undefined;
    const missing = this.#refused ? chunk.length : missingBytes(rest, chunk);
    this.#decode(Buffer.concat([rest, chunk.subarray(0, missing)]), 0);
    if (missing >= chunk.length) return;
    // The frame that straddled the chunks is done with, unless it was refused: then all that follows waits with it.
    if (this.#rest === undefined) this.#decode(chunk, missing);
    else this.#rest = Buffer.concat([this.#rest, chunk.subarray(missing)]);
  }

  /** Offers the refused frame and what came behind it once more. */
  resume(): void {
    if (!this.#refused) return;
    this.#refused = false;
    const rest = this.#rest;
    this.#rest = undefined;
    if (rest !== undefined) this.#decode(rest, 0);
  }

  #decode(bytes: Buffer, start: number): void {
    const { length } = bytes;
    let at = this.#partMissing >= 0 ? this.#part(bytes, start) : start;
    while (length - at >= frameHeaderSize && !this.#refused) {
      const size = u32(bytes, at + 3);
      if (size > this.frameMax - 8 + sizeFudge) throw tooLarge(u8(bytes, at), size, this.frameMax);
      const end = at + frameHeaderSize + size;
      if (end >= length) {
        if (u8(bytes, at) !== frameType.body || size < bodyPartMin) break;
        this.#partChannel = u16(bytes, at + 1);
        this.#partMissing = size;
        at = this.#part(bytes, at + frameHeaderSize);
        continue;
      }
      if (u8(bytes, end) !== frameEnd) throw badEnd(bytes, at, end);
      if (!this.#handler.frame(u8(bytes, at), u16(bytes, at + 1), bytes, at + frameHeaderSize, end)) {
        this.#refused = true;
        break;
      }
      at = end + 1;
    }
    if (at < length) this.#rest = Buffer.from(bytes.subarray(at));
  }

  /** Passes on what is there of a body frame's payload from `at`, and returns where the next frame starts. */
  #part(bytes: Buffer, at: number): number {
    const end = Math.min(at + this.#partMissing, bytes.length);
    if (end > at) {
      if (!this.#handler.bodyPart(this.#partChannel, bytes, at, end)) {
        this.#refused = true;
        return at;
      }
      this.#partMissing -= end - at;
    }
    if (this.#partMissing > 0 || end === bytes.length) return end;
    if (u8(bytes, end) !== frameEnd) throw badPartEnd(u8(bytes, end));
    this.#partMissing = -1;
    return end + 1;
  }
}

/** How many bytes of `chunk` complete the frame that starts with `rest`, or all of them when they do not. */
function missingBytes(rest: Buffer, chunk: Buffer): number {
  const headerMissing = frameHeaderSize - rest.length;
  if (headerMissing > chunk.length) return chunk.length;
  const header = headerMissing > 0 ? Buffer.concat([rest, chunk.subarray(0, headerMissing)]) : rest;
  return Math.min(chunk.length, frameHeaderSize + u32(header, 3) + 1 - rest.length);
}

function tooLarge(type: number, size: number, frameMax: number): BrokerError {
  return new BrokerError("FRAME_ERROR", `type ${type}, all octets = <<>>: {frame_too_large,${size},${frameMax - 8}}`);
}

function badEnd(bytes: Buffer, at: number, end: number): BrokerError {
  const start = at + frameHeaderSize;
  const size = end - start;
  const shown = bytes.subarray(start, Math.min(end, start + 16));
  const which = size > 16 ? "first 16 octets" : "all octets";
  const text = `type ${u8(bytes, at)}, ${which} = ${erlangText(shown)}: {invalid_frame_end_marker,${u8(bytes, end)}}`;
  return new BrokerError("FRAME_ERROR", text);
}

function badPartEnd(octet: number): BrokerError {
  return new BrokerError("FRAME_ERROR", `type ${frameType.body}: {invalid_frame_end_marker,${octet}}`);
}
