import { addressEndOf, contentStartOf } from "../record.ts";
import type { Consumer } from "./consumer.ts";
import { deliveredAgain } from "./delivery-count.ts";
import type { Segment } from "./segment.ts";

/** Gives message `index` of a segment to who takes it; when it has to be settled later, `kept` says where it stays. */
export function deliverRecord(
  to: Pick<Consumer, "deliver">,
  from: Segment,
  index: number,
  kept: Segment | undefined,
): void {
  const isRedelivered = from.isRedelivered(index);
  const failures = from.deliveryCount(index);
  if (failures > 0) {
    const record = deliveredAgain(from.bytes(index), from.start(index), from.end(index), failures);
    const addressEnd = addressEndOf(record, 0);
    const contentStart = contentStartOf(record, addressEnd);
    to.deliver(record, 0, addressEnd, contentStart, record.length, true, isRedelivered, kept, index);
    return;
  }
  const bytes = from.bytes(index);
  const start = from.start(index);
  const addressEnd = addressEndOf(bytes, start);
  const contentStart = contentStartOf(bytes, addressEnd);
  const end = from.end(index);
  to.deliver(bytes, start, addressEnd, contentStart, end, from.bytesStay(index), isRedelivered, kept, index);
}
