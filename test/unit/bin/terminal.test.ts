import { PassThrough } from "node:stream";
import type { ReadStream, WriteStream } from "node:tty";
import { describe, expect, it } from "vitest";
import { processTerminal, progressText } from "../../../bin/terminal.ts";

/** Streams that say they are a terminal, or that they are none. */
function terminal(isTTY: boolean, columns = 50) {
  const input = Object.assign(new PassThrough(), { isTTY, raw: false, setRawMode: rawMode });
  const error = Object.assign(new PassThrough(), { isTTY, columns });
  const shown = () => String(error.read() ?? "");
  const streams = { input: input as unknown as ReadStream, error: error as unknown as WriteStream };
  return { input, shown, terminal: processTerminal(streams) };
}

function rawMode(this: { raw: boolean }, raw: boolean) {
  this.raw = raw;
  return this;
}

describe("a password", () => {
  it("is typed without being shown, and may be corrected", async () => {
    const {
      input,
      shown,
      terminal: { secret },
    } = terminal(true);
    const typed = secret("Password: ");
    expect(input.raw).toBe(true);
    input.write("secreX");
    input.write("\u007f");
    input.write("t\r");
    expect(await typed).toBe("secret");
    expect(shown()).toBe("Password: \n");
    expect(input.raw).toBe(false);
  });

  it("is the first line of what is piped", async () => {
    const {
      input,
      shown,
      terminal: { secret },
    } = terminal(false);
    input.end("se cret\r\nmore\n");
    expect(await secret("Password: ")).toBe("se cret");
    expect(shown()).toBe("");
  });
});

describe("progress", () => {
  it("is drawn on a terminal, no wider than it is, and taken away in the end", () => {
    const {
      shown,
      terminal: { progress },
    } = terminal(true);
    const bar = progress("Sending", 10);
    bar.update(10);
    bar.end();
    const lines = shown().split("\r\u001b[K");
    expect(lines).toEqual(["", `Sending [${"-".repeat(30)}]   0%`, `Sending [${"#".repeat(30)}] 100%`, ""]);
  });

  it("is whole on a terminal that does not know how wide it is", () => {
    const {
      shown,
      terminal: { progress },
    } = terminal(true, 0);
    progress("Sending", 10);
    expect(shown()).toBe(`\r\u001b[KSending [${"-".repeat(30)}]   0%`);
  });

  it("is nothing when there is no terminal, as are warnings", () => {
    const {
      shown,
      terminal: { progress, note },
    } = terminal(false);
    const bar = progress("Sending", 10);
    bar.update(10);
    bar.end();
    note("warning");
    expect(shown()).toBe("");
  });

  it.each([
    [5, 10, `x [${"#".repeat(15)}${"-".repeat(15)}]  50%`],
    [11, 10, `x [${"#".repeat(30)}] 100%`],
    [1234567, undefined, "x 1,234,567"],
    [0, undefined, "x ..."],
  ])("of %s of %s is written as %s", (done, total, text) => {
    expect(progressText("x", done, total)).toBe(text);
  });
});
