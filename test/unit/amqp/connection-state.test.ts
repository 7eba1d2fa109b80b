import { describe, expect, it } from "vitest";
import { advance, type ConnectionState, type HandshakeEvent } from "../../../src/protocol/amqp/connection-state.ts";
import { testVhost } from "../../support/vhost.ts";

const { vhost } = testVhost();
const tuning = { channelMax: 10, frameMax: 4096, heartbeat: 30 };

const events: readonly HandshakeEvent[] = [
  { name: "protocol-header" },
  { name: "start-ok", username: "guest" },
  { name: "tune-ok", tuning },
  { name: "open", vhost },
];

const states: readonly ConnectionState[] = [
  { name: "awaiting-header" },
  { name: "starting" },
  { name: "tuning", username: "guest" },
  { name: "opening", username: "guest", tuning },
  { name: "running", username: "guest", tuning, vhost },
  { name: "closing" },
  { name: "closed" },
];

describe("a connection's handshake", () => {
  it("goes step by step, and each step keeps what the ones before have found", () => {
    const passed = [states[0]];
    for (const event of events) passed.push(advance(passed.at(-1) ?? { name: "closed" }, event));
    expect(passed).toEqual(states.slice(0, 5));
  });

  const wrong = states.flatMap((state, at) =>
    events
      .filter((_, step) => step !== at)
      .map((event) => ({ state, event, title: `${event.name} while ${state.name}` })),
  );

  it.each(wrong)("refuses $title", ({ state, event }) => {
    expect(() => advance(state, event)).toThrow(`CHANNEL_ERROR - unexpected method in connection state ${state.name}`);
  });
});
