import { it } from "vitest";
import { useBroker } from "../support/broker.ts";
import { differs, findDifference } from "../support/differences.ts";
import { checksOf, describeWith, pythonWith, run } from "../support/programs.ts";

const program = "kombu_checks.py";

describeWith(pythonWith("kombu"), "kombu", (python) => {
  const broker = useBroker();

  it.for(checksOf(python, program))("%s", async ([, { check, difference }], context) => {
    if (difference !== null) differs(context, findDifference(difference));
    await run(python, [program, check, broker.url]);
  });
});
