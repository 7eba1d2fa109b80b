import { spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { useBroker } from "../support/broker.ts";
import { Companion, describeWith, dockerCompose, pythonWith, run } from "../support/programs.ts";

const cwd = join(import.meta.dirname, "../../docker/celery");
const broker = useBroker();

describeWith(pythonWith("celery"), "the example of compose.yaml", (python) => {
  it("has its tasks done", async () => {
    const env = { BROKER_URL: `${broker.url}//` };
    const worker = new Companion(python, ["-m", "celery", "--app", "tasks", "worker", "--concurrency", "1"], {
      cwd,
      env,
    });
    expect(await run(python, ["send.py"], { cwd, env })).toBe("[0, 2, 4, 6, 8, 10, 12, 14, 16, 18]\n");
    await worker.stop();
  });
});

const compose = dockerCompose();

describe.skipIf(compose.command === undefined)("compose.yaml", () => {
  it("is one that Compose can read", () => {
    const { stderr, status } = spawnSync(compose.name, ["-f", "docker/compose.yaml", "config", "-q"], {
      encoding: "utf8",
    });
    expect({ stderr, status }).toEqual({ stderr: "", status: 0 });
  });
});

describe("compose.yaml", () => {
  it("builds from files that are there, and starts clients once the broker is healthy", () => {
    const text = readFileSync("docker/compose.yaml", "utf8");
    expect(text).toContain("dockerfile: docker/Dockerfile");
    expect(text.match(/condition: service_healthy/g)).toHaveLength(2);
  });
});
