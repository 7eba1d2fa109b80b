import { copyBytes, putU32, u8, u16, u64 } from "../../bytes.ts";
import { BrokerError } from "../../errors.ts";
import { erlangBinary, frameEnd, frameOverhead, largeRecordBytes, Message } from "../../record.ts";
import { frameHeaderSize, frameType } from "./codec/frame-decoder.ts";

/** Largest body that the protocol allows here, as in RabbitMQ. */
const bodySizeMax = 512 * 1024 * 1024;
const basicClass = 60;
/** Bodies that arrive in pieces are put together in frames of this size, the largest that any client may agree to. */
const bodyFrameMax = 131_072 - frameOverhead;
/** No more than this is allocated on the word of a header before the bytes have come. */
const allocationFirstMax = 1024 * 1024;

/** Memory for a message that came in pieces and is of these sizes is used again once the message is handed on. */
const scratchBytesMin = 16 * 1024;
const scratchBytes = largeRecordBytes + 4096;
/** Buffers kept for messages in pieces, for all connections together. */
const scratchMax = 8;
const scratch: Buffer[] = [];

/** The chunk of which a message's frames are being used where they stand. Shared by the channels of a connection. */
export interface ChunkUser {
  /** The one assembly whose bytes are still in the chunk. */
  inChunk: ContentAssembly | undefined;
  /** So many more bytes are kept of messages that are not complete; so many less when it is negative. */
  held(change: number): void;
  /** Throws RESOURCE_ERROR when those are too many. */
  checkHeld(): void;
}

/**
 * Puts a published message together from its method, header and body frames. A message that came whole and in one
 * piece is used where it stands in the socket's chunk; any other is gathered in a record of its own.
 */
export class ContentAssembly {
  readonly #user: ChunkUser;
  readonly #bodyMax: number;
  readonly #message = new Message();
  #state: "idle" | "header" | "body" = "idle";
  #chunk: Buffer | undefined;
  #addressStart = 0;
  #addressEnd = 0;
  #contentStart = 0;
  /** Where the next frame must start to continue the message in place. */
  #next = 0;
  /** Bytes of the body still to come. */
  #missing = 0;
  #mandatory = false;
  /** The record being gathered, its length so far, and where its open body frame starts; 0 for none. */
  #record: Buffer | undefined;
  #end = 0;
  #frame = 0;
  /** Bytes that the user was told are kept here. */
  #held = 0;

  /** `bodyMax` is the configured limit of a message's body in bytes. */
  constructor(user: ChunkUser, bodyMax: number) {
    this.#user = user;
    this.#bodyMax = bodyMax;
  }

  get idle(): boolean {
    return this.#state === "idle";
  }

  get mandatory(): boolean {
    return this.#mandatory;
  }

  /** What frame must come next, as error texts say it. */
  get expected(): string {
    return this.#state === "header"
      ? "expected content header for class 60, got non content header frame instead"
      : "expected content body, got non content body frame instead";
  }

  /** The payload of a basic.publish in bytes[start, end): ticket, exchange, routing key, bits. */
  method(bytes: Buffer, start: number, end: number): void {
    const addressStart = start + 6;
    const key = addressStart + 1 + u8(bytes, addressStart);
    const addressEnd = key + 1 + u8(bytes, key);
    if (addressEnd + 1 !== end) {
      throw new BrokerError("FRAME_ERROR", `cannot decode ${erlangBinary(bytes.subarray(start + 4, end))}`);
    }
    const bits = u8(bytes, addressEnd);
    if ((bits & 2) !== 0) throw new BrokerError("NOT_IMPLEMENTED", "immediate=true");
    if (this.#user.inChunk !== undefined) this.#user.inChunk.spill();
    this.#user.inChunk = this;
    this.#mandatory = (bits & 1) !== 0;
    this.#chunk = bytes;
    this.#addressStart = addressStart;
    this.#addressEnd = addressEnd;
    this.#contentStart = end;
    this.#next = end + 1;
    this.#state = "header";
  }

  /** A content header frame with its payload in bytes[start, end). Returns the message when it has no body. */
  header(bytes: Buffer, start: number, end: number): Message | undefined {
    if (this.#state !== "header") throw this.#unexpected();
    const classId = u16(bytes, start);
    if (classId !== basicClass) {
      const text = `expected content header for class ${basicClass}, got one for class ${classId} instead`;
      throw new BrokerError("UNEXPECTED_FRAME", text);
    }
    if (end - start < 14 || u16(bytes, start + 2) !== 0) {
      throw new BrokerError("FRAME_ERROR", `cannot decode ${erlangBinary(bytes.subarray(start, end))}`);
    }
    const size = u64(bytes, start + 4);
    if (size > bodySizeMax) throw tooLarge(bytes.readBigUInt64BE(start + 4));
    this.#checkSize(size);
    this.#user.checkHeld();
    this.#missing = size;
    if (!this.#continues(bytes, start)) this.#append(bytes, start - frameHeaderSize, end + 1);
    else this.#next = end + 1;
    this.#state = "body";
    return this.#missing === 0 ? this.#complete() : undefined;
  }

  #checkSize(size: number): void {
    if (size > this.#bodyMax) {
      const text = `message size ${size} is larger than configured max size ${this.#bodyMax}`;
      throw new BrokerError("PRECONDITION_FAILED", text);
    }
  }

  /** A whole body frame with its payload in bytes[start, end). Returns the message when it is complete. */
  body(bytes: Buffer, start: number, end: number): Message | undefined {
    this.#checkBody(end - start);
    // An empty frame must not reach a consumer: it is left out, and so the message is gathered elsewhere.
    if (start === end) this.spill();
    else if (this.#continues(bytes, start)) this.#next = end + 1;
    else this.#appendBody(bytes, start, end);
    return this.#took(end - start);
  }

  /** Some bytes of a body frame's payload; the frame's end is the decoder's business. */
  bodyPart(bytes: Buffer, start: number, end: number): Message | undefined {
    this.#checkBody(end - start);
    this.spill();
    this.#appendBody(bytes, start, end);
    return this.#took(end - start);
  }

  #checkBody(size: number): void {
    if (this.#state !== "body") throw this.#unexpected();
    if (size > this.#missing) throw new BrokerError("FRAME_ERROR", "content body frame exceeds remaining content size");
  }

  #took(size: number): Message | undefined {
    this.#missing -= size;
    return this.#missing === 0 ? this.#complete() : undefined;
  }

  #unexpected(): BrokerError {
    return new BrokerError(
      "UNEXPECTED_FRAME",
      this.#state === "idle" ? "expected method frame, got non method frame instead" : this.expected,
    );
  }

  /** True when a frame with its payload at `start` follows the message so far in the same chunk. */
  #continues(bytes: Buffer, start: number): boolean {
    if (this.#chunk === bytes && start - frameHeaderSize === this.#next) return true;
    this.spill();
    return false;
  }

  /** Moves what came so far out of the chunk, which will not be there any more. */
  spill(): void {
    const chunk = this.#chunk;
    if (chunk === undefined) return;
    this.#leaveChunk();
    const address = this.#addressEnd - this.#addressStart;
    const content = this.#next - this.#contentStart;
    this.#record = roomFor(Math.min(this.#sizeFor(address + content), allocationFirstMax + address + content));
    this.#hold(this.#record.length);
    const middle = copyBytes(chunk, this.#addressStart, this.#addressEnd, this.#record, 0);
    this.#end = copyBytes(chunk, this.#contentStart, this.#next, this.#record, middle);
    this.#frame = 0;
  }

  /** Room for `size` bytes, the rest of the body and its frames. */
  #sizeFor(size: number): number {
    return size + this.#missing + (Math.ceil(this.#missing / bodyFrameMax) + 1) * frameOverhead;
  }

  #hold(size: number): void {
    this.#user.held(size - this.#held);
    this.#held = size;
  }

  #leaveChunk(): void {
    this.#chunk = undefined;
    if (this.#user.inChunk === this) this.#user.inChunk = undefined;
  }

  #append(bytes: Buffer, start: number, end: number): void {
    const record = this.#room(end - start);
    this.#end = copyBytes(bytes, start, end, record, this.#end);
  }

  #appendBody(bytes: Buffer, start: number, end: number): void {
    let from = start;
    while (from < end) {
      if (this.#frame === 0) this.#openFrame();
      const size = Math.min(end - from, bodyFrameMax - this.#frameSize());
      this.#append(bytes, from, from + size);
      from += size;
      if (this.#frameSize() === bodyFrameMax) this.#closeFrame();
    }
  }

  #frameSize(): number {
    return this.#end - this.#frame - frameHeaderSize;
  }

  #openFrame(): void {
    const record = this.#room(frameHeaderSize);
    this.#frame = this.#end;
    record.fill(0, this.#end, this.#end + frameHeaderSize);
    record[this.#end] = frameType.body;
    this.#end += frameHeaderSize;
  }

  #closeFrame(): void {
    const size = this.#frameSize();
    const record = this.#room(1);
    putU32(record, this.#frame + 3, size);
    record[this.#end++] = frameEnd;
    this.#frame = 0;
  }

  #room(size: number): Buffer {
    const record = this.#record ?? Buffer.alloc(0);
    if (this.#end + size <= record.length) return record;
    const wanted = Math.max(this.#end + size, Math.min(record.length * 2, this.#sizeFor(this.#end + size)));
    const larger = Buffer.allocUnsafeSlow(wanted);
    record.copy(larger, 0, 0, this.#end);
    this.handedOn();
    this.#record = larger;
    this.#hold(wanted);
    this.#user.checkHeld();
    return larger;
  }

  #complete(): Message {
    this.#state = "idle";
    const chunk = this.#chunk;
    if (chunk !== undefined) {
      this.#leaveChunk();
      return this.#message.set(chunk, this.#addressStart, this.#addressEnd, this.#contentStart, this.#next);
    }
    if (this.#frame !== 0) this.#closeFrame();
    const record = this.#room(0);
    this.#hold(0);
    if (record.length === scratchBytes) return this.#message.setRecord(record, 0, this.#end);
    this.#record = undefined;
    return this.#message.setOwned(record.subarray(0, this.#end));
  }

  /** The message that was complete has been handed on: nobody looks at it where it stood. */
  handedOn(): void {
    if (this.#record?.length === scratchBytes && scratch.length < scratchMax) scratch.push(this.#record);
    this.#record = undefined;
  }

  /** Forgets a message that will not be finished. */
  abandon(): void {
    this.#state = "idle";
    if (this.#held > 0) this.#hold(0);
    this.#leaveChunk();
    this.handedOn();
    this.#frame = 0;
  }
}

/** A buffer of at least `size` bytes, perhaps one that was used before. */
function roomFor(size: number): Buffer {
  if (size < scratchBytesMin || size > scratchBytes) return Buffer.allocUnsafeSlow(size);
  return scratch.pop() ?? Buffer.allocUnsafeSlow(scratchBytes);
}

function tooLarge(size: bigint): BrokerError {
  return new BrokerError("FRAME_ERROR", `content body size ${size} exceeds maximum allowed size ${bodySizeMax}`);
}
