import { propertyFlag } from "./record.ts";

/** How a property is written: short string, octet, 64-bit time in seconds, or field table. */
export type PropertyKind = "text" | "octet" | "timestamp" | "table";

/** The properties of a message in the order of their flags, under management's names. */
export const messageProperties = [
  { name: "content_type", flag: propertyFlag.contentType, kind: "text" },
  { name: "content_encoding", flag: propertyFlag.contentEncoding, kind: "text" },
  { name: "headers", flag: propertyFlag.headers, kind: "table" },
  { name: "delivery_mode", flag: propertyFlag.deliveryMode, kind: "octet" },
  { name: "priority", flag: propertyFlag.priority, kind: "octet" },
  { name: "correlation_id", flag: propertyFlag.correlationId, kind: "text" },
  { name: "reply_to", flag: propertyFlag.replyTo, kind: "text" },
  { name: "expiration", flag: propertyFlag.expiration, kind: "text" },
  { name: "message_id", flag: propertyFlag.messageId, kind: "text" },
  { name: "timestamp", flag: propertyFlag.timestamp, kind: "timestamp" },
  { name: "type", flag: propertyFlag.type, kind: "text" },
  { name: "user_id", flag: propertyFlag.userId, kind: "text" },
  { name: "app_id", flag: propertyFlag.appId, kind: "text" },
  { name: "cluster_id", flag: propertyFlag.clusterId, kind: "text" },
] as const satisfies readonly { readonly name: string; readonly flag: number; readonly kind: PropertyKind }[];

export type MessageProperty = (typeof messageProperties)[number];
