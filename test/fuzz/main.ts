/*
 * npm run fuzz -- --minutes M --seed S: sends mutated traffic to a broker, before and after a login and over HTTP, until it
 * crashes, hangs, leaks or answers what it should not, or the time is over.
 */
import { parseArgs } from "node:util";
import { runFuzz } from "./rounds.ts";

const { values } = parseArgs({ options: { minutes: { type: "string" }, seed: { type: "string" } } });
const until = performance.now() + Number(values.minutes ?? 10) * 60_000;
const seed = Number(values.seed ?? Date.now() % 1_000_000_000);
console.log(`fuzzing from seed ${seed}`);
const counts = await runFuzz({ seed, goesOn: () => performance.now() < until, onRound: (text) => console.log(text) });
console.log(`${counts.before + counts.after + counts.http} inputs (${JSON.stringify(counts)}), and nothing was found`);
process.exit(0);
