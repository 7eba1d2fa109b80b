import { Socket, type SocketConstructorOpts } from "node:net";

/** Bytes read at a time. */
const readBytes = 128 * 1024;
const buffer = Buffer.allocUnsafeSlow(readBytes);

/**
 * Reads an accepted, paused socket through one buffer that all connections share, instead of a fresh one of 64 KiB for
 * every read: at 1 KiB a message that halves the broker's work, most of which was page faults and collecting buffers.
 * `take` gets each chunk and must copy what it keeps. Returns the socket to use from now on, which is not paused.
 *
 * Node offers this to clients only (the `onread` option of net.connect), so the handle moves to a socket made that way.
 * Where a socket has no handle to move, or what comes from it must be decrypted first, it is read as any other is.
 */
export function readShared(accepted: Socket, take: (chunk: Buffer) => void): Socket {
  const handle: unknown = "_handle" in accepted ? accepted._handle : undefined;
  if (typeof handle !== "object" || handle === null || "encrypted" in accepted) {
    accepted.on("data", take).resume();
    return accepted;
  }
  Object.assign(accepted, { _handle: null });
  const callback = (size: number): boolean => {
    take(buffer.subarray(0, size));
    return true;
  };
  // `handle` is not in the declared options, but net.Server makes its sockets by it too.
  const options: SocketConstructorOpts & Record<string, unknown> = { handle, onread: { buffer, callback } };
  return new Socket(options);
}
