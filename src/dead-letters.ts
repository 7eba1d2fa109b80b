import { emptyTable, type FieldTable, type FieldValue } from "./field-table.ts";
import { isInteger } from "./queue/arguments.ts";
import type { DeathReason, Grave } from "./queue/dead-letter.ts";
import { Message } from "./record.ts";
import { editRecord } from "./record-edit.ts";
import { routingKeysOf, senderSelected } from "./sender-selected.ts";

/** A message on its way to a dead-letter exchange. */
export interface DeadLetter {
  readonly reason: DeathReason;
  readonly exchange: string;
  readonly routingKeys: readonly string[];
  /** The message as it will be delivered, with x-death. */
  readonly record: Buffer;
  /** Its deaths, newest first. */
  readonly deaths: readonly Death[];
}

interface Death {
  readonly queue: string;
  readonly reason: string;
}

/** Makes the dead letter of a record that dies in `queue`, at `now` (milliseconds since the epoch). */
export function makeDeadLetter(queue: Grave, reason: DeathReason, record: Buffer, now: number): DeadLetter {
  const message = new Message().setRecord(record, 0, record.length);
  const headers = message.headers();
  const { cc } = senderSelected(headers);
  const exchange = queue.deadLetterExchange ?? "";
  const override = queue.deadLetterRoutingKey;
  const edited = new Map(headers);
  if (override !== undefined) edited.delete("CC");
  const deaths = addDeath(headers, newDeath(queue, reason, message, cc, now));
  edited.set("x-death", { type: "array", value: deaths.map((value) => ({ type: "table", value })) });
  if (!headers.has("x-death") || !headers.has("x-first-death-reason")) {
    note(edited, "first", queue.name, reason, message.exchange);
  }
  note(edited, "last", queue.name, reason, message.exchange);
  return {
    reason,
    exchange,
    routingKeys: override === undefined ? routingKeysOf(message) : [override],
    record: editRecord(message, {
      exchange,
      routingKey: override ?? message.routingKey,
      headers: edited,
      ...(override !== undefined && { hiddenHeaders: emptyTable }),
      removeExpiration: true,
    }),
    deaths: deaths.map((death) => ({ queue: textOf(death, "queue"), reason: textOf(death, "reason") })),
  };
}

function longstr(value: string): FieldValue {
  return { type: "longstr", value };
}

function newDeath(queue: Grave, reason: DeathReason, message: Message, cc: readonly string[], now: number): FieldTable {
  const death = new Map<string, FieldValue>([
    ["count", { type: "long", value: 1 }],
    ["reason", longstr(reason)],
    ["queue", longstr(queue.name)],
    ["time", { type: "timestamp", value: Math.floor(now / 1000) }],
    ["exchange", longstr(message.exchange)],
    ["routing-keys", { type: "array", value: [message.routingKey, ...cc].map(longstr) }],
  ]);
  const { expiration } = message;
  if (expiration !== undefined) death.set("original-expiration", longstr(expiration));
  return death;
}

/** One entry for each queue and reason, newest first: a death seen before is counted and moves to the front. */
function addDeath(headers: FieldTable, death: FieldTable): FieldTable[] {
  const before = earlierDeaths(headers);
  const same = before.find((other) => isSame(other, death));
  if (same === undefined) return [death, ...before];
  const count = same.get("count");
  const times = count !== undefined && isInteger(count) ? Number(count.value) : 0;
  // The count may come from a client and be anything.
  const counted = new Map(same).set("count", {
    type: "long",
    value: Math.min(Math.max(times, 0) + 1, Number.MAX_SAFE_INTEGER),
  });
  return [counted, ...before.filter((other) => other !== same)];
}

function earlierDeaths(headers: FieldTable): FieldTable[] {
  const field = headers.get("x-death");
  if (field?.type !== "array") return [];
  return field.value.flatMap((entry) => (entry.type === "table" ? [entry.value] : []));
}

function isSame(a: FieldTable, b: FieldTable): boolean {
  return textOf(a, "queue") === textOf(b, "queue") && textOf(a, "reason") === textOf(b, "reason");
}

function textOf(death: FieldTable, name: string): string {
  const field = death.get(name);
  return field?.type === "longstr" ? field.value.toString() : "";
}

/** The headers of a first death are there for ever, those of the last are replaced. */
function note(headers: Map<string, FieldValue>, which: string, queue: string, reason: string, exchange: string): void {
  headers.set(`x-${which}-death-queue`, longstr(queue));
  headers.set(`x-${which}-death-reason`, longstr(reason));
  headers.set(`x-${which}-death-exchange`, longstr(exchange));
}

/**
 * True when sending the dead letter to this queue would go round in a circle with nobody taking part: it has died
 * there before and no death since was a consumer's rejection.
 */
export function isCycle(letter: DeadLetter, queue: string): boolean {
  if (letter.reason === "rejected") return false;
  const last = letter.deaths.findIndex((death) => death.queue === queue);
  return last >= 0 && letter.deaths.slice(0, last + 1).every((death) => death.reason !== "rejected");
}
