import fc from "fast-check";

/** `FC_RUNS=1000000 npm test` runs each property test that many times. */
const runs = process.env["FC_RUNS"];
if (runs !== undefined) fc.configureGlobal({ numRuns: Number(runs) });
