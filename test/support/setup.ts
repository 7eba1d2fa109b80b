import fc from "fast-check";

const runs = process.env["FC_RUNS"];
if (runs !== undefined) fc.configureGlobal({ numRuns: Number(runs) });
