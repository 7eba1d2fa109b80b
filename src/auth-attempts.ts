/** Logins over one protocol. */
export interface Attempts {
  readonly succeeded: number;
  readonly failed: number;
}

/** How often clients logged in, or tried to, by protocol. */
export class AuthAttempts {
  readonly #byProtocol = new Map<string, Attempts>();

  note(protocol: "amqp091" | "http", succeeded: boolean): void {
    const before = this.#byProtocol.get(protocol) ?? { succeeded: 0, failed: 0 };
    this.#byProtocol.set(protocol, {
      succeeded: before.succeeded + Number(succeeded),
      failed: before.failed + Number(!succeeded),
    });
  }

  list(): Iterable<readonly [protocol: string, attempts: Attempts]> {
    return this.#byProtocol;
  }

  reset(): void {
    this.#byProtocol.clear();
  }
}
