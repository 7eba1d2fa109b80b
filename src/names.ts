import { randomBytes } from "node:crypto";
import { BrokerError } from "./errors.ts";

/** Longest name a short string can carry, in bytes of UTF-8 (AMQP 0-9-1, 4.2.5.3). */
export const nameBytesMax = 255;

/** Throws PRECONDITION_FAILED for a name that no short string can carry. */
export function checkNameSize(kind: string, name: string): void {
  const size = Buffer.byteLength(name);
  if (size <= nameBytesMax) return;
  throw new BrokerError("PRECONDITION_FAILED", `${kind} name of ${size} bytes: ${nameBytesMax} are allowed`);
}

/** The publish address of the direct reply-to pseudo-queue. */
export const directReplyTo = "amq.rabbitmq.reply-to";

/** True for the pseudo-queue, and for what its consumers have in its place. */
export function isReplyAddress(name: string): boolean {
  return name === directReplyTo || name.startsWith(`${directReplyTo}.`);
}

/** True for names that only the broker may create. */
export function isReserved(name: string): boolean {
  return name.startsWith("amq.");
}

/** A fresh name for a queue declared without one. */
export function generateQueueName(prefix = "amq.gen"): string {
  return `${prefix}-${randomToken()}`;
}

/** A fresh consumer tag, for basic.consume without one. */
export function generateConsumerTag(): string {
  return `amq.ctag-${randomToken()}`;
}

/** 128 random bits in URL-safe base64: 22 characters. */
export function randomToken(): string {
  return randomBytes(16).toString("base64url");
}

/** RabbitMQ drops CR and LF from names of queues and exchanges without a word. */
export function stripLineBreaks(name: string): string {
  return name.includes("\n") || name.includes("\r") ? name.replaceAll("\r", "").replaceAll("\n", "") : name;
}

/** How error texts name a queue. */
export function queueText(name: string, vhost: string): string {
  return `queue '${name}' in vhost '${vhost}'`;
}

/** How error texts name an exchange; the default one has no name of its own. */
export function exchangeText(name: string, vhost: string): string {
  return `exchange '${name === "" ? "amq.default" : name}' in vhost '${vhost}'`;
}
