import { copyBytes, putU16, putU32, putU64, u32 } from "../../../bytes.ts";
import { frameEnd, frameOverhead } from "../../../record.ts";
import { frameHeaderSize, frameType } from "./frame-decoder.ts";
import { encodeMethod, type MethodArguments, type MethodName, methodId } from "./methods.ts";

/** Size of the buffers that output is gathered in. */
const chunkSize = 128 * 1024;
/** Frames of at least this size, from bytes that stay, are not copied: the socket is given the place where they are. */
const sharedBytesMin = 16 * 1024;
/** Contents of these sizes are copied at once; smaller ones are quicker frame by frame, without a native call. */
const copiedWholeMin = 64;
const copiedWholeMax = 4096;
/** Spare buffers kept for all connections together. */
const spareMax = 64;

const spare: Buffer[] = [];
const noBytes: Buffer = Buffer.alloc(0);

const ackId = methodId("basic.ack");
const nackId = methodId("basic.nack");
const ackSize = frameHeaderSize + 4 + 8 + 1 + 1;

/** Gathers a connection's output as frames until the socket takes it. */
export class FrameWriter {
  /** The chunk being filled, and how far. Empty until something is written. */
  #chunk: Buffer = noBytes;
  #at = 0;
  /** Where in #chunk the bytes start that are not in #full. */
  #from = 0;
  #full: Buffer[] = [];
  #fullBytes = 0;
  /** The chunks that #full and #chunk are parts of. */
  #chunks: Buffer[] = [];

  /** Bytes gathered. */
  get size(): number {
    return this.#fullBytes + this.#at - this.#from;
  }

  method<N extends MethodName>(channel: number, name: N, args: MethodArguments<N>): void {
    const payload = encodeMethod(name, args);
    this.#reserve(payload.length + frameOverhead);
    this.#head(frameType.method, channel, payload.length);
    this.#at = copyBytes(payload, 0, payload.length, this.#chunk, this.#at);
    this.#chunk[this.#at++] = frameEnd;
  }

  heartbeat(): void {
    this.#reserve(frameOverhead);
    this.#head(frameType.heartbeat, 0, 0);
    this.#chunk[this.#at++] = frameEnd;
  }

  /** A basic.ack to a publisher. */
  ack(channel: number, deliveryTag: number, multiple: boolean): void {
    this.#confirm(ackId, channel, deliveryTag, multiple ? 1 : 0);
  }

  /** A basic.nack to a publisher, with the requeue bit as RabbitMQ sets it, though it means nothing here. */
  nack(channel: number, deliveryTag: number, multiple: boolean): void {
    this.#confirm(nackId, channel, deliveryTag, multiple ? 3 : 2);
  }

  #confirm(id: number, channel: number, deliveryTag: number, bits: number): void {
    this.#reserve(ackSize);
    this.#head(frameType.method, channel, ackSize - frameOverhead);
    putU32(this.#chunk, this.#at, id);
    putU64(this.#chunk, this.#at + 4, deliveryTag);
    this.#chunk[this.#at + 12] = bits;
    this.#chunk[this.#at + 13] = frameEnd;
    this.#at += 14;
  }

  /**
   * A method frame whose payload is `head` followed by `address`, both bytes as they are, then `tail`: how the methods
   * that carry content begin. The content follows by {@link content}.
   */
  contentMethod(channel: number, head: Buffer, address: Buffer, start: number, end: number, tail: Buffer): void {
    const size = head.length + end - start + tail.length;
    this.#reserve(size + frameOverhead);
    this.#head(frameType.method, channel, size);
    this.#at = copyBytes(head, 0, head.length, this.#chunk, this.#at);
    this.#at = copyBytes(address, start, end, this.#chunk, this.#at);
    this.#at = copyBytes(tail, 0, tail.length, this.#chunk, this.#at);
    this.#chunk[this.#at++] = frameEnd;
  }

  /** The head of a basic.deliver (`prefix`: class, method, consumer tag) with its tag and flag, and the address. */
  deliver(
    channel: number,
    prefix: Buffer,
    deliveryTag: number,
    redelivered: boolean,
    bytes: Buffer,
    addressStart: number,
    addressEnd: number,
  ): void {
    const size = prefix.length + 9 + addressEnd - addressStart;
    this.#reserve(size + frameOverhead);
    this.#head(frameType.method, channel, size);
    const chunk = this.#chunk;
    let at = copyBytes(prefix, 0, prefix.length, chunk, this.#at);
    putU64(chunk, at, deliveryTag);
    chunk[at + 8] = redelivered ? 1 : 0;
    at = copyBytes(bytes, addressStart, addressEnd, chunk, at + 9);
    chunk[at] = frameEnd;
    this.#at = at + 1;
  }

  /**
   * The content of a record: its header and body frames in bytes[start, end), with the channel put in and bodies cut
   * to frames of at most `frameMax` bytes. Bytes that stay until the socket has sent them need not be copied.
   */
  content(channel: number, bytes: Buffer, start: number, end: number, frameMax: number, bytesStay: boolean): void {
    const size = end - start;
    if (size >= copiedWholeMin && size <= copiedWholeMax && size <= frameMax) {
      return this.#frames(channel, bytes, start, end);
    }
    let frame = start;
    while (frame < end) {
      const payload = u32(bytes, frame + 3);
      const next = frame + payload + frameOverhead;
      if (frame !== start && payload + frameOverhead > frameMax)
        this.#cutBody(channel, bytes, frame, payload, frameMax, bytesStay);
      else this.#frame(channel, bytes, frame, next, bytesStay);
      frame = next;
    }
  }

  /** Frames that all fit as they are. */
  #frames(channel: number, bytes: Buffer, start: number, end: number): void {
    this.#reserve(end - start);
    const chunk = this.#chunk;
    let at = this.#at;
    this.#at = copyBytes(bytes, start, end, chunk, at);
    for (; at < this.#at; at += u32(chunk, at + 3) + frameOverhead) putU16(chunk, at + 1, channel);
  }

  #frame(channel: number, bytes: Buffer, start: number, end: number, bytesStay: boolean): void {
    if (end - start >= sharedBytesMin) {
      const isHeader = bytes[start] === frameType.header;
      const type = isHeader ? frameType.header : frameType.body;
      this.#largeFrame(type, channel, bytes, start + frameHeaderSize, end - 1, bytesStay);
      return;
    }
    this.#reserve(end - start);
    const at = this.#at;
    this.#at = copyBytes(bytes, start, end, this.#chunk, at);
    putU16(this.#chunk, at + 1, channel);
  }

  #cutBody(channel: number, bytes: Buffer, frame: number, size: number, frameMax: number, bytesStay: boolean): void {
    const most = frameMax - frameOverhead;
    const end = frame + frameHeaderSize + size;
    for (let from = frame + frameHeaderSize; from < end; from += most) {
      this.#largeFrame(frameType.body, channel, bytes, from, Math.min(from + most, end), bytesStay);
    }
  }

  /** A frame whose payload is taken by reference, when that pays, or copied piece by piece. */
  #largeFrame(type: number, channel: number, bytes: Buffer, start: number, end: number, bytesStay: boolean): void {
    this.#reserve(frameHeaderSize);
    this.#head(type, channel, end - start);
    if (bytesStay && end - start >= sharedBytesMin) {
      this.#endPart();
      this.#full.push(bytes.subarray(start, end));
      this.#fullBytes += end - start;
    } else this.#copy(bytes, start, end);
    this.#reserve(1);
    this.#chunk[this.#at++] = frameEnd;
  }

  #copy(bytes: Buffer, start: number, end: number): void {
    for (let from = start; from < end; ) {
      this.#reserve(1);
      const to = Math.min(end, from + this.#chunk.length - this.#at);
      this.#at = copyBytes(bytes, from, to, this.#chunk, this.#at);
      from = to;
    }
  }

  #head(type: number, channel: number, size: number): void {
    const at = this.#at;
    this.#chunk[at] = type;
    putU16(this.#chunk, at + 1, channel);
    putU32(this.#chunk, at + 3, size);
    this.#at = at + frameHeaderSize;
  }

  #reserve(size: number): void {
    if (this.#chunk.length - this.#at >= size) return;
    this.#endPart();
    this.#at = this.#from = 0;
    if (size > chunkSize) this.#chunk = Buffer.allocUnsafeSlow(size);
    else {
      this.#chunk = spare.pop() ?? Buffer.allocUnsafeSlow(chunkSize);
      this.#chunks.push(this.#chunk);
    }
  }

  #endPart(): void {
    if (this.#at === this.#from) return;
    this.#full.push(this.#chunk.subarray(this.#from, this.#at));
    this.#fullBytes += this.#at - this.#from;
    this.#from = this.#at;
  }

  /**
   * Takes out what was gathered, in order. The socket refers to it until it has sent it: {@link recycle} the chunks
   * then, and not before.
   */
  take(): { readonly parts: readonly Buffer[]; readonly chunks: readonly Buffer[] } {
    this.#endPart();
    const taken = { parts: this.#full, chunks: this.#chunks };
    this.#full = [];
    this.#chunks = [];
    this.#fullBytes = this.#at = this.#from = 0;
    this.#chunk = noBytes;
    return taken;
  }
}

/** Gives chunks back that nothing refers to any more. */
export function recycle(chunks: readonly Buffer[]): void {
  for (const chunk of chunks) if (spare.length < spareMax) spare.push(chunk);
}
