import { describe, expect, it } from "vitest";
import { LazyList } from "../../../src/lazy-list.ts";
import { hasLazyList, jsonChunks } from "../../../src/mgmt/json-stream.ts";
import { mapInSlices } from "../../../src/mgmt/slices.ts";

async function written(value: object): Promise<string> {
  let text = "";
  for await (const chunk of jsonChunks(value)) text += chunk;
  return text;
}

/** Takes a millisecond, as much work does. */
function work(): void {
  const until = performance.now() + 1;
  while (performance.now() < until);
}

/** How many turns of the loop others have until something is done. */
async function turnsDuring(something: Promise<unknown>): Promise<number> {
  let turns = 0;
  let done = false;
  const count = () => {
    turns++;
    if (!done) setImmediate(count);
  };
  setImmediate(count);
  await something;
  done = true;
  return turns;
}

describe("JSON that is written in pieces", () => {
  const list = LazyList.of([1, 2n ** 60n, 3], (id) => ({ id, name: '"' }));
  const listText = '[{"id":1,"name":"\\""},{"id":1152921504606846976,"name":"\\""},{"id":3,"name":"\\""}]';

  it.each([
    ["a list", list, listText],
    ["an empty list", LazyList.of([], () => 1), "[]"],
    [
      "an object with lists in it",
      { a: 1, list, gone: undefined, b: [2n ** 60n] },
      `{"a":1,"list":${listText},"b":[1152921504606846976]}`,
    ],
    ["an object with nothing in it", { gone: undefined }, "{}"],
  ])("is that of %s", async (_what, value, text) => {
    expect(await written(value)).toBe(text);
  });

  it("comes in pieces that do not grow with the list", async () => {
    const members = LazyList.of(new Array<string>(1000).fill("x".repeat(1000)), (text) => text);
    let longest = 0;
    for await (const chunk of jsonChunks(members)) longest = Math.max(longest, chunk.length);
    expect(longest).toBeLessThan(70_000);
  });

  it("is asked for where there is a lazy list, at the top or one below", () => {
    const values = [list, { list }, [list], { deep: { list } }, null, "text"];
    expect(values.map(hasLazyList)).toEqual([true, true, false, false, false, false]);
  });

  it("lets others have their turns", async () => {
    const slow = LazyList.of(new Array<number>(100).fill(0), work);
    expect(await turnsDuring(written(slow))).toBeGreaterThan(10);
    expect(await turnsDuring(mapInSlices(new Array<number>(100).fill(0), work))).toBeGreaterThan(10);
  });
});
