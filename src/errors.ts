/** Reply codes of AMQP 0-9-1 (section 1.2 of the generated reference). The scope says what the peer loses by it. */
export const replyCodes = {
  CONTENT_TOO_LARGE: { code: 311, scope: "channel" },
  NO_ROUTE: { code: 312, scope: "channel" },
  NO_CONSUMERS: { code: 313, scope: "channel" },
  CONNECTION_FORCED: { code: 320, scope: "connection" },
  INVALID_PATH: { code: 402, scope: "connection" },
  ACCESS_REFUSED: { code: 403, scope: "channel" },
  NOT_FOUND: { code: 404, scope: "channel" },
  RESOURCE_LOCKED: { code: 405, scope: "channel" },
  PRECONDITION_FAILED: { code: 406, scope: "channel" },
  FRAME_ERROR: { code: 501, scope: "connection" },
  SYNTAX_ERROR: { code: 502, scope: "connection" },
  COMMAND_INVALID: { code: 503, scope: "connection" },
  CHANNEL_ERROR: { code: 504, scope: "connection" },
  UNEXPECTED_FRAME: { code: 505, scope: "connection" },
  RESOURCE_ERROR: { code: 506, scope: "connection" },
  NOT_ALLOWED: { code: 530, scope: "connection" },
  NOT_IMPLEMENTED: { code: 540, scope: "connection" },
  INTERNAL_ERROR: { code: 541, scope: "connection" },
} as const;

export type ReplyCode = keyof typeof replyCodes;

/** A refusal the peer must hear of. Any other Error is our own fault and becomes INTERNAL_ERROR. */
export class BrokerError extends Error {
  override readonly name = "BrokerError";
  readonly replyCode: ReplyCode;
  /** The text without the name of the reply code. */
  readonly detail: string;

  constructor(replyCode: ReplyCode, detail: string, options?: ErrorOptions) {
    super(`${replyCode} - ${detail}`, options);
    this.replyCode = replyCode;
    this.detail = detail;
  }

  /** The same refusal, which names what it is about. */
  about(what: string): BrokerError {
    return new BrokerError(this.replyCode, `${what}: ${this.detail}`, { cause: this });
  }

  get code(): number {
    return replyCodes[this.replyCode].code;
  }

  /** The text as it fits into a short string: RabbitMQ cuts long ones at 252 bytes and adds an ellipsis. */
  get replyText(): string {
    const bytes = Buffer.from(this.message, "utf8");
    if (bytes.length <= 255) return this.message;
    let end = 252;
    while (end > 0 && ((bytes[end] ?? 0) & 0xc0) === 0x80) end--;
    return `${bytes.toString("utf8", 0, end)}...`;
  }

  get scope(): "channel" | "connection" {
    return replyCodes[this.replyCode].scope;
  }
}
