import type { FieldTable, FieldValue } from "./field-table.ts";
import { InternalPublisher, type PublishingVhost } from "./internal-publisher.ts";
import { nodeName } from "./node-name.ts";
import { tableFromPlain } from "./plain-table.ts";
import type { Message } from "./record.ts";
import { readBody, readProperties } from "./record-reader.ts";
import type { Target } from "./route.ts";
import { senderSelected } from "./sender-selected.ts";

/** The exchange that copies of traced messages go to. */
export const traceExchange = "amq.rabbitmq.trace";

/** Longest routing key: a queue's name may need to be cut for it. */
const keyBytesMax = 255;

/** Who published a message, or was given it. */
export interface TraceParty {
  readonly connection: string;
  readonly channel: number;
  readonly user: string;
}

/** The firehose of a vhost: a copy of every message that is published or delivered while it is on. */
export class Firehose {
  readonly #vhost: string;
  readonly #publisher: InternalPublisher;
  isOn = false;

  constructor(vhost: PublishingVhost) {
    this.#vhost = vhost.name;
    this.#publisher = new InternalPublisher(() => vhost, traceExchange);
  }

  published(message: Message, by: TraceParty, targets: readonly Target[]): void {
    if (!this.#isTraced(message)) return;
    const routed: FieldValue = { type: "array", value: targets.map(({ name }) => longstr(name)) };
    this.#publish(`publish.${message.exchange}`, message, by, ["routed_queues", routed]);
  }

  delivered(message: Message, to: TraceParty, queue: string, redelivered: boolean): void {
    if (!this.#isTraced(message)) return;
    this.#publish(`deliver.${queue}`, message, to, ["redelivered", { type: "signedint", value: redelivered ? 1 : 0 }]);
  }

  /** A copy is not copied again: that would never end. */
  #isTraced(message: Message): boolean {
    return this.#publisher.isHeard && message.exchange !== traceExchange;
  }

  #publish(key: string, message: Message, party: TraceParty, more: [string, FieldValue]): void {
    const { cc } = senderSelected(message.headers());
    const headers = new Map<string, FieldValue>([
      ["exchange_name", longstr(message.exchange)],
      ["routing_keys", { type: "array", value: [message.routingKey, ...cc].map(longstr) }],
      ["properties", { type: "table", value: propertiesOf(message) }],
      ["node", longstr(nodeName)],
      ["vhost", longstr(this.#vhost)],
      ["connection", longstr(party.connection)],
      ["channel", { type: "signedint", value: party.channel }],
      ["user", longstr(party.user)],
      more,
    ]);
    const body = readBody(message, Number.POSITIVE_INFINITY);
    this.#publisher.publish({ routingKey: cut(key), properties: {}, headers, body });
  }
}

/** With headers as they were sent: as JSON they would have lost their types. */
function propertiesOf(message: Message): FieldTable {
  const { headers, ...rest } = readProperties(message);
  const table = new Map(tableFromPlain(rest));
  if (headers !== undefined) table.set("headers", { type: "table", value: message.headers() });
  return table;
}

function longstr(value: string): FieldValue {
  return { type: "longstr", value };
}

function cut(key: string): string {
  let short = key;
  while (Buffer.byteLength(short) > keyBytesMax) short = short.slice(0, -1);
  return short;
}
