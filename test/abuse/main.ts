/*
 * npm run abuse: does what clients should not do to a broker, at full size, and tells how others were served meanwhile and
 * what it left behind. With a number, only the abuse of that number in the list.
 */
import { megabytes } from "../support/process-use.ts";
import { abuses } from "./abuses.ts";
import { type AbuseResult, runAbuses } from "./run.ts";

const [only] = process.argv.slice(2);
const ms = (value: number) => value.toFixed(1);

function tell(result: AbuseResult): void {
  const { name, what, seconds, p50, p99, max, memoryMax } = result;
  const { heapBefore, heapAfter, descriptorsBefore, descriptorsAfter } = result;
  console.log(
    `| ${name}: ${what} | ${seconds.toFixed(0)} s | ${ms(p50)} | ${ms(p99)} | ${ms(max)} | ${megabytes(memoryMax)} | ` +
      `${ms(heapBefore / 1e6)} → ${ms(heapAfter / 1e6)} MB | ${descriptorsBefore} → ${descriptorsAfter} |`,
  );
}

console.log(
  "| what | time | p50 ms | p99 ms | max ms | memory | heap | descriptors |\n|---|---|---|---|---|---|---|---|",
);
await runAbuses("full", tell, only === undefined ? abuses : abuses.slice(Number(only) - 1, Number(only)));
process.exit(0);
