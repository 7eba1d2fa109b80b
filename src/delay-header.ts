import { findHeader } from "./header-scan.ts";
import type { Message } from "./record.ts";

const tag = { byte: 0x62, short: 0x73, signedint: 0x49, long: 0x6c, alsoLong: 0x4c } as const;

/** Makes the number in the x-delay header of a record negative where it stands; false when it is of a type that cannot be. */
export function negateDelay(message: Message): boolean {
  const { bytes } = message;
  const at = findHeader(message, "x-delay");
  switch (bytes[at]) {
    case tag.byte:
      bytes.writeInt8(-bytes.readInt8(at + 1), at + 1);
      return true;
    case tag.short:
      bytes.writeInt16BE(-bytes.readInt16BE(at + 1), at + 1);
      return true;
    case tag.signedint:
      bytes.writeInt32BE(-bytes.readInt32BE(at + 1), at + 1);
      return true;
    case tag.long:
    case tag.alsoLong:
      bytes.writeBigInt64BE(-bytes.readBigInt64BE(at + 1), at + 1);
      return true;
    default:
      return false;
  }
}
