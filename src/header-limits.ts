import type { BrokerLimits } from "./broker-limits.ts";
import { u32 } from "./bytes.ts";
import { BrokerError } from "./errors.ts";
import { hasSoundHeaders } from "./header-scan.ts";
import type { Message } from "./record.ts";

/** Checks the headers of a message that comes in. Throws PRECONDITION_FAILED for too many, FRAME_ERROR for malformed ones. */
export function checkHeaders(message: Message, { headerBytes, headerDepth }: BrokerLimits): void {
  if (message.headersAt === 0) return;
  const size = 4 + u32(message.bytes, message.headersAt);
  if (size > headerBytes) {
    const text = `headers of ${size} bytes are larger than configured max size ${headerBytes}`;
    throw new BrokerError("PRECONDITION_FAILED", text);
  }
  if (hasSoundHeaders(message, headerDepth)) return;
  message.headers();
  throw new BrokerError("PRECONDITION_FAILED", `headers are nested deeper than configured max depth ${headerDepth}`);
}
