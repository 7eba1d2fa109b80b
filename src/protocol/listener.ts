import { type AddressInfo, createServer, type Server, type Socket } from "node:net";
import { plainAddress } from "../addresses.ts";
import type { TlsIdentity } from "../tls.ts";
import type { TlsPeer } from "../tls-peer.ts";

/** Connections that the kernel keeps for us until we accept them. */
const backlog = 1024;

/** Where to listen; on all interfaces when `host` is undefined, on a free port when it is 0. */
export interface ListenerAddress {
  readonly host: string | undefined;
  readonly port: number;
}

/** Who is told of connections. */
export interface ListenerEvents {
  /** A connection, as a paused socket; over TLS with who is at its other end. */
  accept(socket: Socket, peer: TlsPeer | undefined): void;
  /** One could not be accepted, for want of file descriptors say. */
  acceptFailed(error: Error): void;
  /** A client is about to begin the handshake of TLS; false closes the connection at once. */
  handshakeBegins(): boolean;
  /** One that had begun is over, whatever came of it. */
  handshakeEnded(): void;
  /** A client did not get through it. */
  handshakeFailed(address: string, reason: string): void;
}

/** Accepts connections, over TCP or TLS. */
export class Listener {
  readonly #server: Server;

  private constructor(server: Server) {
    this.#server = server;
  }

  /** Rejects as listen does. */
  static async open({ host, port }: ListenerAddress, events: ListenerEvents, tls?: TlsIdentity): Promise<Listener> {
    const server = tls === undefined ? plainServer(events) : await tlsServer(tls, events);
    await new Promise<void>((resolve, reject) => {
      server.once("error", reject);
      server.listen({ port, backlog, ...(host !== undefined && { host }) }, () => {
        server.off("error", reject);
        resolve();
      });
    });
    server.on("error", (error) => events.acceptFailed(error));
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

function plainServer(events: ListenerEvents): Server {
  return createServer({ noDelay: true, pauseOnConnect: true }, (socket) => events.accept(socket, undefined));
}

/**
 * TLS is loaded only where it is spoken. A plain server accepts, so that whoever is one too many costs no handshake; each
 * that the other one begins ends as a connection or as an error of the client.
 */
async function tlsServer(tls: TlsIdentity, events: ListenerEvents): Promise<Server> {
  const { createServer: createTlsServer } = await import("node:tls");
  const handshakes = createTlsServer(tls.serverOptions, (socket) => {
    events.handshakeEnded();
    const peer = tls.accept(socket);
    if (peer !== undefined) return events.accept(socket, peer);
    // Node gives a code here, whatever its types say.
    const reason = String(socket.authorizationError ?? "there is no certificate, or too many stand behind it");
    events.handshakeFailed(plainAddress(socket.remoteAddress), reason);
    socket.destroy();
  });
  handshakes.on("tlsClientError", (error, socket) => {
    events.handshakeEnded();
    events.handshakeFailed(plainAddress(socket.remoteAddress), error.message);
    // Node leaves a client that took too long connected.
    socket.destroy();
  });
  tls.serve(handshakes);
  return createServer({ noDelay: true }, (socket) => {
    if (events.handshakeBegins()) handshakes.emit("connection", socket);
    else socket.destroy();
  });
}
