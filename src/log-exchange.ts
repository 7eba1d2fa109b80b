import { emptyTable } from "./field-table.ts";
import { InternalPublisher, type PublishingVhost } from "./internal-publisher.ts";
import { nodeName } from "./node-name.ts";

/** The exchange that what is logged goes to. */
export const logExchange = "amq.rabbitmq.log";

/** RabbitMQ's words for levels, which are the routing keys. */
const keys: ReadonlyMap<string, string> = new Map([
  ["fatal", "critical"],
  ["error", "error"],
  ["warn", "warning"],
  ["info", "info"],
  ["debug", "debug"],
  ["trace", "debug"],
]);

/** Publishes each line of the log to amq.rabbitmq.log of the default vhost, with its level as the routing key. */
export class LogExchange {
  readonly #publisher: InternalPublisher;
  readonly #now: () => number;
  #isWriting = false;

  constructor(vhost: () => PublishingVhost | undefined, now: () => number) {
    this.#now = now;
    this.#publisher = new InternalPublisher(vhost, logExchange);
  }

  write(line: string): void {
    // What publishing itself has to log is not published.
    if (this.#isWriting || !this.#publisher.isHeard) return;
    this.#isWriting = true;
    const level = /"level":"([a-z]+)"/.exec(line)?.[1] ?? "info";
    const timestamp = Math.floor(this.#now() / 1000);
    const properties = { content_type: "application/json", app_id: nodeName, timestamp };
    const body = Buffer.from(line.trimEnd());
    this.#publisher.publish({ routingKey: keys.get(level) ?? "info", properties, headers: emptyTable, body });
    this.#isWriting = false;
  }
}
