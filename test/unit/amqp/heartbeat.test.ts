import { describe, expect, it } from "vitest";
import { type HeartbeatPeer, Heartbeats } from "../../../src/protocol/amqp/heartbeat.ts";

class Peer implements HeartbeatPeer {
  readonly heartbeat: number;
  readonly log: string[] = [];
  took = false;
  sent = false;

  constructor(heartbeat: number) {
    this.heartbeat = heartbeat;
  }

  tookBytes(): boolean {
    const { took } = this;
    this.took = false;
    return took;
  }

  sentBytes(): boolean {
    const { sent } = this;
    this.sent = false;
    return sent;
  }

  sendHeartbeat(): void {
    this.log.push("sent");
    this.sent = true;
  }

  heartbeatMissed(): void {
    this.log.push("missed");
  }
}

describe("heartbeats", () => {
  function watched(seconds: number): { heartbeats: Heartbeats; peer: Peer; pass: (ms: number) => void } {
    const heartbeats = new Heartbeats();
    const peer = new Peer(seconds);
    heartbeats.watch(peer);
    const pass = (ms: number): void => {
      for (let at = 0; at < ms; at += 500) heartbeats.tick(500);
    };
    return { heartbeats, peer, pass };
  }

  it("are sent at least twice in an interval when nothing else is", () => {
    const { heartbeats, peer, pass } = watched(10);
    for (let s = 0; s < 60; s += 5) {
      peer.took = true;
      pass(5000);
    }
    expect(peer.log.length).toBeGreaterThanOrEqual(10);
    expect(peer.log.every((line) => line === "sent")).toBe(true);
    heartbeats.forget(peer);
  });

  it("are not sent while other bytes are", () => {
    const { heartbeats, peer, pass } = watched(2);
    for (let i = 0; i < 100; i++) {
      peer.took = peer.sent = true;
      pass(500);
    }
    expect(peer.log).toEqual([]);
    heartbeats.forget(peer);
  });

  it("are missed after two intervals of silence", () => {
    const { heartbeats, peer, pass } = watched(10);
    pass(20_000);
    expect(peer.log).not.toContain("missed");
    pass(500);
    expect(peer.log).toContain("missed");
    heartbeats.forget(peer);
  });

  it("are off when the interval is 0", () => {
    const { heartbeats, peer, pass } = watched(0);
    pass(1_000_000);
    expect(peer.log).toEqual([]);
    heartbeats.forget(peer);
  });

  it("end when the connection goes", () => {
    const { heartbeats, peer, pass } = watched(1);
    heartbeats.forget(peer);
    pass(10_000);
    expect(peer.log).toEqual([]);
  });
});
