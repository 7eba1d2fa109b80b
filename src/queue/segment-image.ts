import type { StoredMessages } from "../store/store.ts";

/*
 * A segment outside of memory: its live messages as columns, then their records end to end.
 *
 *     count 8 | expires at 8 each | index 4 each | end 4 each | flags 4 each | records
 *
 * In the processor's byte order: only this process reads it.
 */
const headBytes = 8;
const columnBytes = 8 + 4 + 4 + 4;

/**
 * Memory of images that were written, for new ones: fresh memory for each costs page faults, and has V8 collect garbage
 * again and again. Most images fit; small ones are not worth it.
 */
const spare: Buffer[] = [];
const spareMax = 4;
const spareBytes = 2 * 1024 * 1024;
const spareBytesMin = 64 * 1024;

/** The columns of an image of `count` messages with `bytes` of records. */
export function newImage(count: number, bytes: number): { readonly image: Buffer; readonly columns: StoredMessages } {
  const image = imageMemory(headBytes + count * columnBytes + bytes);
  new Float64Array(image.buffer, 0, 1)[0] = count;
  return { image, columns: readImage(image) };
}

/** Not from Node's pool: the columns need a place that is aligned. */
function imageMemory(size: number): Buffer {
  if (size < spareBytesMin || size > spareBytes) return Buffer.allocUnsafeSlow(size);
  return (spare.pop() ?? Buffer.allocUnsafeSlow(spareBytes)).subarray(0, size);
}

/** The image was written and is not needed any more. */
export function recycleImage({ buffer }: Buffer): void {
  if (buffer.byteLength === spareBytes && spare.length < spareMax) spare.push(Buffer.from(buffer));
}

/** The messages of an image; they stay views of it. */
export function readImage(read: Buffer): StoredMessages {
  const image = read.byteOffset % 8 === 0 ? read : aligned(read);
  const { buffer, byteOffset } = image;
  const count = new Float64Array(buffer, byteOffset, 1)[0] ?? 0;
  const expiresAt = byteOffset + headBytes;
  const indexes = expiresAt + count * 8;
  const ends = indexes + count * 4;
  const flags = ends + count * 4;
  return {
    expiresAt: new Float64Array(buffer, expiresAt, count),
    indexes: new Uint32Array(buffer, indexes, count),
    ends: new Uint32Array(buffer, ends, count),
    flags: new Uint32Array(buffer, flags, count),
    bytes: image.subarray(flags + count * 4 - byteOffset),
  };
}

function aligned(bytes: Buffer): Buffer {
  const copy = Buffer.allocUnsafeSlow(bytes.length);
  bytes.copy(copy);
  return copy;
}
