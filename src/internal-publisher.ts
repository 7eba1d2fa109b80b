import { Deferred } from "./deferred.ts";
import type { FieldTable } from "./field-table.ts";
import { JsonObject } from "./json-object.ts";
import { MessageContent } from "./message-content.ts";
import { Message } from "./record.ts";
import { buildRecord } from "./record-builder.ts";
import type { Route } from "./route.ts";

/** A vhost as far as messages are published in it. */
export interface PublishingVhost {
  readonly name: string;
  readonly exchanges: ReadonlyMap<string, { readonly bindingCount: number }>;
  route(exchange: string, routingKeys: readonly string[], content: MessageContent): Pick<Route, "targets">;
}

/** What the broker has to say of itself. */
export interface Notice {
  readonly routingKey: string;
  /** Under management's names. */
  readonly properties: Readonly<Record<string, unknown>>;
  readonly headers: FieldTable;
  readonly body: Buffer;
}

/** Publishes what the broker itself has to say, to one exchange: at the end of a turn, and only if anything is bound there. */
export class InternalPublisher {
  readonly #exchange: string;
  readonly #vhost: () => PublishingVhost | undefined;
  readonly #message = new Message();
  readonly #notices: Deferred<Notice>;

  /** The vhost may come and go. */
  constructor(vhost: () => PublishingVhost | undefined, exchange: string) {
    this.#vhost = vhost;
    this.#exchange = exchange;
    this.#notices = new Deferred(
      (notice) => this.#send(notice),
      () => {},
    );
  }

  /** Whether anybody listens. */
  get isHeard(): boolean {
    return (this.#vhost()?.exchanges.get(this.#exchange)?.bindingCount ?? 0) > 0;
  }

  publish(notice: Notice): void {
    if (this.isHeard) this.#notices.add(notice);
  }

  #send({ routingKey, properties, headers, body }: Notice): void {
    const vhost = this.#vhost();
    if (vhost === undefined || !this.isHeard) return;
    const exchange = this.#exchange;
    const plain = new JsonObject(new Map(Object.entries(properties)));
    const record = buildRecord({ exchange, routingKey, properties: plain, headers, body });
    const message = this.#message.setOwned(record);
    const { targets } = vhost.route(exchange, [routingKey], new MessageContent(message, headers));
    for (const target of targets) target.enqueue(message, undefined, 0);
  }
}
