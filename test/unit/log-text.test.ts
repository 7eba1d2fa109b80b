import { describe, expect, it } from "vitest";
import { logText } from "../../src/log-text.ts";

const time = "2026-11-27T00:28:15.934Z";

describe("a line of the log on a terminal", () => {
  it("has the time, the level, what happened, and the rest behind it", () => {
    const line = { level: "warn", time, area: "connection", user: "a b", seconds: 1.5, msg: "connection closed" };
    expect(logText(JSON.stringify(line), false)).toBe(
      '00:28:15.934 WARN  connection: connection closed user="a b" seconds=1.5\n',
    );
  });

  it("has the stack of an error below it", () => {
    const err = { type: "Error", message: "m", stack: "Error: m\n    at f (x.ts:1)" };
    expect(logText(JSON.stringify({ level: "error", time, err, msg: "failed" }), false)).toBe(
      "00:28:15.934 ERROR failed\n    Error: m\n    at f (x.ts:1)\n",
    );
  });

  it("lets no name of a client's move the cursor", () => {
    const line = logText(JSON.stringify({ level: "info", time, queue: "\u001b[2J", msg: "a\rb" }), false);
    expect(line).toBe(`00:28:15.934 INFO  a\\x0db queue=\\x1b[2J\n`);
  });

  it("has colours where they are wanted", () => {
    expect(logText(JSON.stringify({ level: "info", time, msg: "m" }), true)).toContain("\u001b[32mINFO ");
  });

  it("is what it was when it is no JSON", () => {
    expect(logText("warning: x\n", false)).toBe("warning: x\n");
  });
});
