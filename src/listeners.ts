/** A port that the broker listens on. */
export interface ListenerView {
  /** RabbitMQ's name: amqp, http. */
  readonly protocol: string;
  /** Undefined for all interfaces. */
  readonly host: string | undefined;
  readonly port: number;
}
