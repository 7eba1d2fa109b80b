/**
 * Reading and copying bytes where every nanosecond counts. The readers do not check bounds: callers have checked the
 * length of what they read, or check where they ended up (past the end they read as zero bits or NaN, never throw).
 */
export function u8(bytes: Uint8Array, at: number): number {
  return bytes[at] as number;
}

export function u16(bytes: Uint8Array, at: number): number {
  return ((bytes[at] as number) << 8) | (bytes[at + 1] as number);
}

export function u32(bytes: Uint8Array, at: number): number {
  return (
    (((bytes[at] as number) << 24) |
      ((bytes[at + 1] as number) << 16) |
      ((bytes[at + 2] as number) << 8) |
      (bytes[at + 3] as number)) >>>
    0
  );
}

/** A 64-bit unsigned integer as a number: exact below 2^53. */
export function u64(bytes: Uint8Array, at: number): number {
  return u32(bytes, at) * 0x1_0000_0000 + u32(bytes, at + 4);
}

export function putU16(bytes: Uint8Array, at: number, value: number): void {
  bytes[at] = value >>> 8;
  bytes[at + 1] = value;
}

export function putU32(bytes: Uint8Array, at: number, value: number): void {
  bytes[at] = value >>> 24;
  bytes[at + 1] = value >>> 16;
  bytes[at + 2] = value >>> 8;
  bytes[at + 3] = value;
}

/** Writes a number below 2^53 as 64 bits. */
export function putU64(bytes: Uint8Array, at: number, value: number): void {
  putU32(bytes, at, Math.floor(value / 0x1_0000_0000));
  putU32(bytes, at + 4, value >>> 0);
}

/** Below this many bytes a loop beats the 50 ns that a view and a native copy cost (measured on Node 20). */
const loopBytesMax = 32;

/** Copies `source[start, end)` to `target` at `at` and returns where the copy ends. */
export function copyBytes(source: Buffer, start: number, end: number, target: Buffer, at: number): number {
  const size = end - start;
  if (size <= loopBytesMax) {
    for (let i = 0; i < size; i++) target[at + i] = source[start + i] as number;
  } else {
    target.set(new Uint8Array(source.buffer, source.byteOffset + start, size), at);
  }
  return at + size;
}
