import fc from "fast-check";

/** FC_RUNS sets how many cases each property test tries: few before a commit, a million at night. */
const runs = Number(process.env["FC_RUNS"]);
if (runs > 0) fc.configureGlobal({ numRuns: runs });
