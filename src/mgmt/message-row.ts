import { isUtf8 } from "node:buffer";
import type { Message } from "../record.ts";
import { readBody, readProperties } from "../record-reader.ts";
import { badRequest } from "./refusal.ts";
import type { Row } from "./rows.ts";

/** How bodies are shown: as text where they are some, or always in base64. */
export type Encoding = "auto" | "base64";

export function encodingFrom(text: string): Encoding {
  if (text === "auto" || text === "base64") return text;
  throw badRequest("Unsupported encoding. Please use auto or base64.");
}

/** A message as RabbitMQ shows it, with no more than `truncate` bytes of its body. */
export function messageRow(message: Message, redelivered: boolean, encoding: Encoding, truncate: number): Row {
  const body = readBody(message, truncate);
  const asText = encoding === "auto" && isUtf8(body);
  return {
    payload_bytes: message.bodySize,
    redelivered,
    exchange: message.exchange,
    routing_key: message.routingKey,
    properties: readProperties(message),
    payload: body.toString(asText ? "utf8" : "base64"),
    payload_encoding: asText ? "string" : "base64",
  };
}
