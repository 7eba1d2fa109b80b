import { parseExpiration } from "../expiration.ts";
import { emptyTable, type FieldTable } from "../field-table.ts";
import { MessageContent } from "../message-content.ts";
import type { Queue } from "../queue/queue.ts";
import { type FoundMessage, QueueScan } from "../queue/queue-scan.ts";
import { Message } from "../record.ts";
import { editRecord } from "../record-edit.ts";
import { routingKeysOf } from "../sender-selected.ts";
import type { User } from "../users.ts";
import type { Vhost } from "../vhost.ts";
import type { Guard } from "./auth.ts";
import { placeOf } from "./browse-messages.ts";
import { type Answer, answer, type Call } from "./call.ts";
import type { ManagementHost } from "./host.ts";
import { type MessageFilter, messageFilter, type Wanted, wantedBy, wantedIn } from "./message-filter.ts";
import { writableExchange } from "./publish.ts";
import { badRequest, notAuthorised, notFound, unavailable } from "./refusal.ts";
import { Slices } from "./slices.ts";

/** Deletes the one message that the path names. */
export async function deleteMessage(queue: Queue, id: string): Promise<void> {
  await actOnOne(queue, id, ({ segment, index }) => queue.discard(segment, index, false));
}

/** Deletes the ready messages that the query asks for. */
export async function deleteMessages(queue: Queue, call: Call): Promise<Answer> {
  const isWanted = requiredFilter(wantedIn(call.query), call.query["all"] === "true");
  const deleted = await actOnAll(queue, isWanted, ({ segment, index }) => queue.discard(segment, index, false));
  return answer({ deleted });
}

/** Moves the one message that the path names to where the body says. */
export async function moveMessage(mover: Mover, queue: Queue, id: string): Promise<Answer> {
  await actOnOne(queue, id, (found) => mover.move(queue, found));
  return answer(mover.outcome);
}

/** Moves the ready messages that the body asks for to where it says. */
export async function moveMessages(mover: Mover, queue: Queue, call: Call): Promise<Answer> {
  const isWanted = requiredFilter(wantedBy(call.body), call.body.flag("all"));
  await actOnAll(queue, isWanted, (found) => mover.move(queue, found));
  return answer(mover.outcome);
}

/** That all are meant must be said: it must not come of a filter that was forgotten. */
function requiredFilter(wanted: Wanted, all: boolean): MessageFilter {
  const filter = messageFilter(wanted);
  if (filter === undefined && !all) {
    throw badRequest("'header', 'property' or 'body' should say which messages, or 'all' be true");
  }
  if (filter !== undefined && all) {
    throw badRequest("'all' messages are meant, or those with 'header', 'property' and 'body'");
  }
  return filter ?? (() => true);
}

/** Acts on each ready message that is wanted; returns how many times the act was done. */
async function actOnAll(queue: Queue, isWanted: MessageFilter, act: (found: FoundMessage) => boolean): Promise<number> {
  let done = 0;
  await new QueueScan(queue, new Slices(), "act").run(0, (found) => {
    if (!found.unacked && isWanted(found.message) && act(found)) done++;
    return true;
  });
  queue.resume();
  return done;
}

async function actOnOne(queue: Queue, id: string, act: (found: FoundMessage) => boolean): Promise<void> {
  const place = placeOf(id);
  const segment = [...queue.segments()].find(({ number }) => number === place?.segment);
  if (place === undefined || segment === undefined) throw notFound();
  let result: "missing" | "unacked" | "done" = "missing";
  await new QueueScan(queue, new Slices(), "act").runIn(segment, (found) => {
    if (found.index !== place.index) return true;
    if (found.unacked) result = "unacked";
    else if (act(found)) result = "done";
    return false;
  });
  queue.resume();
  checkDone(result, id);
}

function checkDone(result: "missing" | "unacked" | "done", id: string): void {
  if (result === "missing") throw notFound();
  if (result === "unacked") throw badRequest(`message ${id} is unacked: its consumer has it`);
}

/** Moves messages to an exchange, each in one transaction: it is in its new place or in its old one. */
export class Mover {
  readonly #vhost: Vhost;
  readonly #exchange: string;
  readonly #routingKey: string | undefined;
  /** Whether the user may write to this key of the exchange. */
  readonly #mayUse: (routingKey: string) => boolean;
  readonly #moved = new Message();
  #count = 0;
  #unroutable = 0;
  #rejected = 0;

  private constructor(
    vhost: Vhost,
    exchange: string,
    routingKey: string | undefined,
    mayUse: (routingKey: string) => boolean,
  ) {
    this.#vhost = vhost;
    this.#exchange = exchange;
    this.#routingKey = routingKey;
    this.#mayUse = mayUse;
  }

  /** Reads where to from the body: `exchange`, `routing_key`, or both. */
  static from(host: ManagementHost, guard: Guard, vhost: Vhost, { body, user }: Call): Mover {
    const routingKey = body.findText("routing_key");
    const name = body.findText("exchange") ?? "";
    if (routingKey === undefined && name === "") throw badRequest("'exchange' or 'routing_key' should say where to");
    if (Buffer.byteLength(routingKey ?? "") > 255) throw badRequest("'routing_key' is longer than 255 bytes");
    return Mover.to(host, guard, vhost, user, { exchange: name === "amq.default" ? "" : name, routingKey });
  }

  /** Moves to an exchange, with one routing key for all or with each one's own. */
  static to(
    { alarms, permissions }: ManagementHost,
    guard: Guard,
    vhost: Vhost,
    user: User,
    { exchange: name, routingKey }: { readonly exchange: string; readonly routingKey: string | undefined },
  ): Mover {
    const exchange = writableExchange(guard, vhost, name, user);
    const mayUse = (key: string): boolean =>
      exchange.type !== "topic" || permissions.allowsTopic(user.name, vhost.name, "write", exchange.name, key);
    if (routingKey !== undefined && !mayUse(routingKey)) throw notAuthorised("Access refused.");
    if (alarms.active) throw unavailable(`publishing is blocked: ${alarms.reason}`);
    return new Mover(vhost, exchange.name, routingKey, mayUse);
  }

  /** Moves a message; false, and the message stays, when nothing takes it. */
  move(queue: Queue, { segment, index, message }: FoundMessage): boolean {
    const key = this.#routingKey ?? message.routingKey;
    const headers = message.headers();
    const keys = this.#routingKey === undefined ? routingKeysOf(message) : [key];
    if (!this.#mayUse(key)) return this.#stays("rejected");
    const { targets, counters } = this.#vhost.route(this.#exchange, keys, new MessageContent(message, headers));
    if (targets.length === 0) return this.#stays("unroutable");
    const moved = this.#movedFrom(message, key, headers);
    const results = targets.map((target) => target.enqueue(moved, undefined, 0));
    if (results.every((result) => result === "rejected")) return this.#stays("rejected");
    counters.publishedIn++;
    counters.publishedOut += targets.length;
    queue.discard(segment, index, true);
    // It must be where it went to with the very batch that removes it from where it was.
    this.#vhost.store.hurry();
    this.#count++;
    return true;
  }

  #stays(why: "unroutable" | "rejected"): boolean {
    if (why === "rejected") this.#rejected++;
    else this.#unroutable++;
    return false;
  }

  /** The message with its new address. Other keys that its sender gave it count no more where one is given now. */
  #movedFrom(message: Message, routingKey: string, headers: FieldTable): Message {
    const kept = new Map(headers);
    if (this.#routingKey !== undefined) kept.delete("CC");
    const record = editRecord(message, {
      exchange: this.#exchange,
      routingKey,
      ...(kept.size < headers.size && { headers: kept }),
      ...(this.#routingKey !== undefined && { hiddenHeaders: emptyTable }),
    });
    const moved = this.#moved.setOwned(record);
    const { expiration } = moved;
    if (expiration !== undefined) moved.expiresAfterMs = parseExpiration(expiration);
    return moved;
  }

  /** What became of the messages; those that were not moved are where they were. */
  get outcome(): { readonly moved: number; readonly unroutable: number; readonly rejected: number } {
    return { moved: this.#count, unroutable: this.#unroutable, rejected: this.#rejected };
  }
}
