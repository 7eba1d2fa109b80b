/** A client connection as management sees it, whatever its protocol. */
export interface ConnectionView {
  /** `peer:port -> host:port`. */
  readonly name: string;
  /** The user it is logged in as; empty before. */
  readonly username: string;
  readonly vhost: string | undefined;
  readonly channelCount: number;
  /** When it was accepted, in milliseconds since the epoch. */
  readonly connectedAt: number;
  /** Closes it; the client is told why. */
  close(reason: string): void;
}

/** All client connections of the broker. */
export class ConnectionRegistry {
  readonly #connections = new Set<ConnectionView>();
  readonly #waiting: (() => void)[] = [];

  get size(): number {
    return this.#connections.size;
  }

  add(connection: ConnectionView): void {
    this.#connections.add(connection);
  }

  remove(connection: ConnectionView): void {
    this.#connections.delete(connection);
    if (this.#connections.size > 0) return;
    for (const done of this.#waiting.splice(0)) done();
  }

  list(): Iterable<ConnectionView> {
    return this.#connections;
  }

  /** Closes those of a vhost that goes away. */
  closeVhost(vhost: string): void {
    this.#closeWhere((connection) => connection.vhost === vhost, `vhost '${vhost}' is deleted`);
  }

  /** Closes those of a user who goes away. */
  closeUser(username: string): void {
    this.#closeWhere((connection) => connection.username === username, `user '${username}' is deleted`);
  }

  #closeWhere(applies: (connection: ConnectionView) => boolean, reason: string): void {
    for (const connection of [...this.#connections].filter(applies)) connection.close(reason);
  }

  /** Closes all of them and resolves when the last one has gone. */
  async closeAll(reason: string): Promise<void> {
    for (const connection of [...this.#connections]) connection.close(reason);
    if (this.#connections.size > 0) await new Promise<void>((resolve) => this.#waiting.push(resolve));
  }
}
