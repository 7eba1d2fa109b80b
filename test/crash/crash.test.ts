import { afterAll, beforeAll, expect, it } from "vitest";
import { parity, startBroker, type TestBroker } from "../support/broker.ts";
import { runRounds } from "./rounds.ts";

let broker: TestBroker;

beforeAll(async () => {
  if (!parity) broker = await startBroker();
});

afterAll(() => broker?.stop());

it.skipIf(parity)(
  "kill -9 at random moments breaks no promise",
  async () => {
    expect(await runRounds(broker, { rounds: 2, seed: Date.now() % 1_000_000 })).toEqual([]);
  },
  120_000,
);
