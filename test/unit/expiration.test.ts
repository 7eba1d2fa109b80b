import { describe, expect, it } from "vitest";
import { parseExpiration } from "../../src/expiration.ts";
import { expiryMsMax } from "../../src/queue/arguments.ts";

describe("an expiration property", () => {
  it.each([
    ["0", 0],
    ["60000", 60_000],
    ["007", 7],
    ["+5", 5],
    [`${expiryMsMax}`, expiryMsMax],
  ])("of '%s' is %d ms", (text, ms) => {
    expect(parseExpiration(text)).toBe(ms);
  });

  it.each([
    ["", "no_integer"],
    ["soon", "no_integer"],
    [" 5", "no_integer"],
    ["1.5", '{leftover_string,".5"}'],
    ["5 s", '{leftover_string," s"}'],
    ["-1", "{value_negative,-1}"],
    [`${expiryMsMax + 1}`, "{value_too_large,315360000001}"],
    ["9".repeat(40), `{value_too_large,${"9".repeat(40)}}`],
  ])("of '%s' is refused", (text, reason) => {
    expect(() => parseExpiration(text)).toThrow(`PRECONDITION_FAILED - invalid expiration '${text}': ${reason}`);
  });
});
