import { BrokerError } from "../errors.ts";
import { parseExpiration } from "../expiration.ts";
import { emptyTable, type FieldTable } from "../field-table.ts";
import { checkHeaders } from "../header-limits.ts";
import { JsonObject } from "../json-object.ts";
import { MessageContent } from "../message-content.ts";
import { directReplyTo, exchangeText } from "../names.ts";
import { isBase64 } from "../passwords.ts";
import { Message } from "../record.ts";
import { buildRecord } from "../record-builder.ts";
import { editRecord } from "../record-edit.ts";
import type { Target } from "../route.ts";
import { hidingBcc, senderSelected } from "../sender-selected.ts";
import type { CommitWaiter } from "../store/store.ts";
import type { User } from "../users.ts";
import type { Vhost, VhostExchange } from "../vhost.ts";
import type { Guard } from "./auth.ts";
import { type Answer, answer, type Call } from "./call.ts";
import type { ManagementHost } from "./host.ts";
import { badRequest, Refusal, unavailable } from "./refusal.ts";

/** Publishes the message in the body to an exchange; answers whether it went anywhere, once it is safe there. */
export async function publish(
  { config, alarms }: ManagementHost,
  guard: Guard,
  vhost: Vhost,
  exchangeName: string,
  call: Call,
): Promise<Answer> {
  const body = call.body.require("properties", "routing_key", "payload", "payload_encoding");
  const exchange = writableExchange(guard, vhost, exchangeName, call.user);
  const routingKey = body.text("routing_key");
  if (exchange.type === "topic") guard.authorizeTopic(call.user, vhost, "write", exchange.name, routingKey);
  const properties = body.findObject("properties") ?? JsonObject.empty;
  const headers = properties.has("headers") ? properties.table("headers") : undefined;
  const payload = payloadOf(body, config.maxMessageSize);
  const message = messageOf(exchange.name, routingKey, properties, headers, payload);
  inAmqpWords(() => checkHeaders(message, config.limits));
  checkSender(message, call.user);
  const { cc, bcc } = inAmqpWords(() => senderSelected(headers ?? emptyTable));
  if (alarms.active) throw unavailable(`publishing is blocked: ${alarms.reason}`);
  const keys = [routingKey, ...cc, ...bcc];
  const content = new MessageContent(message, headers ?? emptyTable);
  const { targets, counters } = vhost.route(exchange.name, keys, content, true);
  vhost.counters.published++;
  counters.publishedIn++;
  counters.publishedOut += targets.length;
  // RabbitMQ publishes with mandatory and hears of what comes back.
  if (targets.length === 0) vhost.counters.returned++;
  await new Publication(targets).send(message);
  return answer({ routed: targets.length > 0 });
}

/** The exchange of this name, if the user may publish to it. */
export function writableExchange(guard: Guard, vhost: Vhost, name: string, user: User): VhostExchange {
  guard.authorize(user, vhost, "write", name);
  const exchange = vhost.exchanges.get(name);
  if (exchange === undefined) throw new Refusal(404, "not_found", "exchange_not_found");
  if (!exchange.internal) return exchange;
  throw badRequest(`403 ACCESS_REFUSED - cannot publish to internal ${exchangeText(name, vhost.name)}`);
}

function payloadOf(body: JsonObject, bytesMax: number): Buffer {
  const payload = body.value("payload");
  if (typeof payload !== "string") throw badRequest("payload_not_string");
  const bytes = decoded(payload, body.text("payload_encoding"));
  if (bytes.length <= bytesMax) return bytes;
  throw badRequest(`message size ${bytes.length} is larger than configured max size ${bytesMax}`);
}

function decoded(payload: string, encoding: string): Buffer {
  if (encoding === "string") return Buffer.from(payload, "utf8");
  if (encoding !== "base64") throw badRequest(`unsupported payload encoding '${encoding}'`);
  if (!isBase64(payload)) throw badRequest("the payload is not base64");
  return Buffer.from(payload, "base64");
}

/** The message as queues get it: no client is to see BCC. */
function messageOf(
  exchange: string,
  routingKey: string,
  properties: JsonObject,
  headers: FieldTable | undefined,
  body: Buffer,
): Message {
  const message = new Message().setOwned(buildRecord({ exchange, routingKey, properties, headers, body }));
  const hiding = headers && hidingBcc(headers);
  if (hiding !== undefined) message.setOwned(editRecord(message, hiding));
  const { expiration } = message;
  if (expiration !== undefined) message.expiresAfterMs = inAmqpWords(() => parseExpiration(expiration));
  return message;
}

function checkSender({ userId, replyTo }: Message, user: User): void {
  if (userId !== undefined && userId !== user.name && !user.tags.includes("impersonator")) {
    const text = `user_id property set to '${userId}' but authenticated user was '${user.name}'`;
    throw badRequest(`406 PRECONDITION_FAILED - ${text}`);
  }
  if (replyTo === directReplyTo) throw badRequest("406 PRECONDITION_FAILED - fast reply consumer does not exist");
}

/** A publisher over AMQP would hear of these faults by a close of its channel: here its text is the reason. */
function inAmqpWords<T>(act: () => T): T {
  try {
    return act();
  } catch (error) {
    if (!(error instanceof BrokerError)) throw error;
    throw badRequest(`${error.code} ${error.message}`, { cause: error });
  }
}

/** One message on its way to its queues. */
class Publication implements CommitWaiter {
  readonly #targets: readonly Target[];
  #unsafe = 0;
  #refused = false;
  #allSafe: (() => void) | undefined;

  constructor(targets: readonly Target[]) {
    this.#targets = targets;
  }

  /** Resolves when every queue has it safe. Throws when one does not take it. */
  async send(message: Message): Promise<void> {
    for (const target of this.#targets) {
      // Counted before the call: the queue may answer during it.
      this.#unsafe++;
      const result = target.enqueue(message, this, 0);
      if (result !== "waits") this.#unsafe--;
      if (result === "rejected") this.#refused = true;
    }
    if (this.#unsafe > 0) await new Promise<void>((resolve) => (this.#allSafe = resolve));
    if (this.#refused) throw badRequest("rejected Unable to publish message. Check queue limits.");
  }

  committed(): void {
    this.#unsafe--;
    if (this.#unsafe === 0) this.#allSafe?.();
  }
}
