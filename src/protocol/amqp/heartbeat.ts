/** A connection as the heartbeat clock sees it. */
export interface HeartbeatPeer {
  /** Seconds agreed in tune-ok; 0 is off. */
  readonly heartbeat: number;
  /** Whether bytes came, or went out, since this was last asked. */
  tookBytes(): boolean;
  sentBytes(): boolean;
  sendHeartbeat(): void;
  /** Nothing came for longer than the agreement allows. */
  heartbeatMissed(): void;
}

interface Watched {
  readonly peer: HeartbeatPeer;
  silentMs: number;
  idleMs: number;
}

/** How often connections are looked at: half of the shortest interval. */
const tickMs = 500;
/** A peer is dead after this many intervals of silence. */
const missedMax = 2;

/** Heartbeats of all connections on one timer: what was sent or came counts, whatever it was (AMQP 0-9-1, 4.2.7). */
export class Heartbeats {
  readonly #watched = new Map<HeartbeatPeer, Watched>();
  #timer: NodeJS.Timeout | undefined;

  watch(peer: HeartbeatPeer): void {
    if (peer.heartbeat === 0) return;
    this.#watched.set(peer, { peer, silentMs: 0, idleMs: 0 });
    this.#timer ??= setInterval(() => this.tick(tickMs), tickMs).unref();
  }

  forget(peer: HeartbeatPeer): void {
    this.#watched.delete(peer);
    if (this.#watched.size > 0) return;
    clearInterval(this.#timer);
    this.#timer = undefined;
  }

  /** Lets `ms` pass for every connection. */
  tick(ms: number): void {
    for (const watched of this.#watched.values()) check(watched, ms);
  }
}

function check(watched: Watched, ms: number): void {
  const { peer } = watched;
  watched.silentMs = peer.tookBytes() ? 0 : watched.silentMs + ms;
  watched.idleMs = peer.sentBytes() ? 0 : watched.idleMs + ms;
  if (watched.idleMs * 2 >= peer.heartbeat * 1000) {
    watched.idleMs = 0;
    peer.sendHeartbeat();
  }
  if (watched.silentMs > peer.heartbeat * 1000 * missedMax) peer.heartbeatMissed();
}
