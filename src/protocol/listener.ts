import { type AddressInfo, createServer, type Server, type Socket } from "node:net";

/** Connections that the kernel keeps for us until we accept them. */
const backlog = 1024;

/** Accepts TCP connections. */
export class Listener {
  readonly #server: Server;

  private constructor(server: Server) {
    this.#server = server;
  }

  /**
   * Listens on `host`, or on all interfaces when it is undefined; port 0 takes a free one. Rejects as listen does.
   * Hands each connection to `accept` as a paused socket; one that cannot be accepted, for want of file descriptors
   * say, is reported to `acceptFailed`.
   */
  static async open(
    host: string | undefined,
    port: number,
    accept: (socket: Socket) => void,
    acceptFailed: (error: Error) => void,
  ): Promise<Listener> {
    const server = createServer({ noDelay: true, pauseOnConnect: true }, accept);
    await new Promise<void>((resolve, reject) => {
      server.once("error", reject);
      server.listen({ port, backlog, ...(host !== undefined && { host }) }, () => {
        server.off("error", reject);
        resolve();
      });
    });
    server.on("error", acceptFailed);
    return new Listener(server);
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  /** Accepts no more; connections that are there go on. */
  close(): void {
    this.#server.close();
  }
}
