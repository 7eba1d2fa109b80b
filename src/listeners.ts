/** A port that the broker listens on. */
export interface ListenerView {
  /** RabbitMQ's name: amqp, amqp/ssl, http, https. */
  readonly protocol: string;
  /** Undefined for all interfaces. */
  readonly host: string | undefined;
  readonly port: number;
  /** The certificates it shows; undefined without TLS. */
  readonly tls?: { readonly expiresAt: number };
}
