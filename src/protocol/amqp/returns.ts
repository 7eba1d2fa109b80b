import { putU16, putU32 } from "../../bytes.ts";
import { replyCodes } from "../../errors.ts";
import type { Message } from "../../record.ts";
import type { FrameWriter } from "./codec/frame-writer.ts";
import { methodId } from "./codec/methods.ts";

const noRoute = "NO_ROUTE";
const head = Buffer.alloc(4 + 2 + 1 + noRoute.length);
putU32(head, 0, methodId("basic.return"));
putU16(head, 4, replyCodes.NO_ROUTE.code);
head.writeUInt8(noRoute.length, 6);
head.write(noRoute, 7, "latin1");
const nothing = Buffer.alloc(0);

interface ReturnChannel {
  readonly number: number;
  readonly frameMax: number;
  readonly writer: FrameWriter;
  wrote(): void;
}

/** Sends a mandatory message that no queue takes back to its publisher. */
export function returnMessage(channel: ReturnChannel, message: Message): void {
  const { bytes, addressStart, addressEnd, contentStart, contentEnd } = message;
  channel.writer.contentMethod(channel.number, head, bytes, addressStart, addressEnd, nothing);
  channel.writer.content(channel.number, bytes, contentStart + 1, contentEnd, channel.frameMax, message.stays);
  channel.wrote();
}
