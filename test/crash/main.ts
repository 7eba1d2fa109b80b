/*
 * npm run crash -- --rounds N --seed S: kills a broker with SIGKILL while clients are at work, N times, and holds what is
 * there after each restart against what clients were told.
 */
import { parseArgs } from "node:util";
import { startBroker } from "../support/broker.ts";
import { runRounds } from "./rounds.ts";

const { values } = parseArgs({ options: { rounds: { type: "string" }, seed: { type: "string" } } });
const rounds = Number(values.rounds ?? 20);
const seed = Number(values.seed ?? Date.now() % 1_000_000);
console.log(`${rounds} rounds with seed ${seed}`);
const broker = await startBroker();
const violations = await runRounds(broker, { rounds, seed, onRound: (text) => console.log(text) });
await broker.stop();
console.log(violations.length === 0 ? "every promise was kept" : `${violations.length} promises were broken`);
process.exit(violations.length === 0 ? 0 : 1);
