import type { HandshakeOptions, ReceivedContent, ReceivedMethod } from "./wire-client.ts";
import { WireClient } from "./wire-client.ts";
import { type Fields, Tagged } from "./wire-codec.ts";

const generated: [pattern: RegExp, name: string][] = [
  [/amq\.gen-[\w-]+/g, "<generated queue>"],
  [/amq\.ctag-[\w-]+/g, "<generated tag>"],
  [/amq\.rabbitmq\.reply-to\.[\w=+/.-]+/g, "<reply address>"],
];

/** Headers that one of two brokers adds on purpose: see differences.ts. */
const added = /^x-last-death-/;

/**
 * What was said on one connection: a line for each method sent and each thing received. Two brokers that behave alike
 * give the same lines. Names a broker makes up and times are replaced by what they stand for.
 */
export class Transcript {
  readonly lines: string[] = [];
  readonly #client: WireClient;

  constructor(client: WireClient) {
    this.#client = client;
  }

  static async open(broker: { host: string; port: number }, options?: HandshakeOptions): Promise<Transcript> {
    return new Transcript(await WireClient.open(broker, options));
  }

  send(method: string, fields: Fields = {}, channel = 1): void {
    this.lines.push(line(`> ${channel} ${method}`, fields));
    this.#client.sendMethod(channel, method, fields);
  }

  publish(fields: Fields, body: string, properties: Fields = {}, channel = 1): void {
    this.lines.push(line(`> ${channel} basic.publish '${body}'`, { ...fields, ...properties }));
    this.#client.publish(channel, fields, body, properties);
  }

  /** Reads one method, with its content if it has one. */
  async receive(): Promise<ReceivedMethod> {
    const frame = await this.#client.next();
    if (frame.type === "closed") {
      this.lines.push("< closed");
      return { type: "method", channel: 0, name: "closed", fields: {} };
    }
    if (frame.type !== "method") throw new Error(`a method wanted, got ${JSON.stringify(frame)}`);
    const content = hasContent(frame.name) ? await this.#client.nextContent() : undefined;
    this.lines.push(line(`< ${frame.channel} ${frame.name}${bodyOf(content)}`, told(frame), content?.properties));
    return frame;
  }

  /** Sends a method and reads what comes back. */
  async call(method: string, fields: Fields = {}, channel = 1): Promise<ReceivedMethod> {
    this.send(method, fields, channel);
    return await this.receive();
  }

  async receiveMany(count: number): Promise<ReceivedMethod[]> {
    const received: ReceivedMethod[] = [];
    for (let index = 0; index < count; index++) received.push(await this.receive());
    return received;
  }

  close(): Promise<void> {
    return this.#client.close();
  }
}

/**
 * What a broker must say. RabbitMQ answers a declaration out of turn, so that its count may leave out what was
 * published or given back just before; and a confirm may stand for several when it need not.
 */
function told({ name, fields }: ReceivedMethod): Fields {
  if (name === "queue.declare-ok") return { ...fields, "message-count": undefined };
  if (name === "basic.ack" || name === "basic.nack") return { "delivery-tag": fields["delivery-tag"] };
  return fields;
}

function hasContent(method: string): boolean {
  return method === "basic.deliver" || method === "basic.get-ok" || method === "basic.return";
}

function bodyOf(content: ReceivedContent | undefined): string {
  return content === undefined ? "" : ` '${content.body.toString()}'`;
}

function line(head: string, ...fields: (Fields | undefined)[]): string {
  const text = [head, ...fields.filter((entry) => entry !== undefined).map((entry) => JSON.stringify(shown(entry)))];
  return generated.reduce((result, [pattern, name]) => result.replace(pattern, name), text.join(" "));
}

/** Fields without what is false, zero or empty; table values with their tags, as `S:text`. */
function shown(value: unknown): unknown {
  if (value instanceof Tagged) return value.tag === "T" ? "T:<time>" : shownTagged(value);
  if (Array.isArray(value)) return value.map(shown);
  if (typeof value !== "object" || value === null) return value;
  const entries = Object.entries(value).filter(([key, entry]) => !added.test(key) && !isEmpty(entry));
  return Object.fromEntries(
    entries.toSorted(([a], [b]) => (a < b ? -1 : 1)).map(([key, entry]) => [key, shown(entry)]),
  );
}

function shownTagged({ tag, value }: Tagged): unknown {
  return typeof value === "object" && value !== null ? shown(value) : `${tag}:${value}`;
}

function isEmpty(value: unknown): boolean {
  return value === false || value === 0 || value === "" || value === undefined;
}
