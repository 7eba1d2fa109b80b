/*
 * npm run fuzz -- --minutes M --inputs N --seed S: sends mutated traffic to a broker, before and after a login and over HTTP,
 * until it crashes, hangs, leaks or answers what it should not, or the time is over, or the inputs are sent.
 */
import { parseArgs } from "node:util";
import { type FuzzCounts, runFuzz } from "./rounds.ts";

const { values } = parseArgs({
  options: { minutes: { type: "string" }, inputs: { type: "string" }, seed: { type: "string" } },
});
const inputsMax = Number(values.inputs ?? Number.POSITIVE_INFINITY);
const minutes = Number(values.minutes ?? (values.inputs === undefined ? 10 : Number.POSITIVE_INFINITY));
const until = performance.now() + minutes * 60_000;
const seed = Number(values.seed ?? Date.now() % 1_000_000_000);
const sum = ({ before, after, http }: FuzzCounts): number => before + after + http;

console.log(`fuzzing from seed ${seed}`);
const counts = await runFuzz({
  seed,
  goesOn: (now) => performance.now() < until && sum(now) < inputsMax,
  onRound: (text) => console.log(text),
});
console.log(`${sum(counts)} inputs (${JSON.stringify(counts)}), and nothing was found`);
process.exit(0);
