import { Message } from "../record.ts";
import { editRecord } from "../record-edit.ts";

const message = new Message();

/** The record in bytes[start, end) as it is delivered after `failures` deliveries: with x-delivery-count. */
export function deliveredAgain(bytes: Buffer, start: number, end: number, failures: number): Buffer {
  message.setRecord(bytes, start, end);
  const headers = new Map(message.headers()).set("x-delivery-count", { type: "long", value: failures });
  return editRecord(message, { headers });
}
