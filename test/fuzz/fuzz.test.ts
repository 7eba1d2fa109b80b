import { expect, it } from "vitest";
import { parity } from "../support/broker.ts";
import { runFuzz } from "./rounds.ts";

it.skipIf(parity)(
  "mutated traffic over AMQP and HTTP costs whoever sends it, and nobody else",
  async () => {
    const counts = await runFuzz({ seed: Date.now() % 1_000_000_000, goesOn: ({ after }) => after < 2000 });
    for (const count of Object.values(counts)) expect(count).toBeGreaterThan(0);
  },
  60_000,
);
