import { describe, expect, it } from "vitest";
import { RouteCache, routeCacheSizeMax } from "../../../src/exchange/route-cache.ts";

it("remembers, and forgets all on clear", () => {
  const cache = new RouteCache<string>();
  cache.set("a", ["q"]);
  cache.set("nowhere", []);
  expect([cache.get("a"), cache.get("nowhere"), cache.get("b")]).toEqual([["q"], [], undefined]);
  cache.clear();
  expect([cache.get("a"), cache.size]).toEqual([undefined, 0]);
});

it("stays within two full generations however many keys come by, and keeps a key in use", () => {
  const cache = new RouteCache<string>();
  cache.set("used", ["q"]);
  let largest = 0;
  for (let i = 0; i < 4 * routeCacheSizeMax; i++) {
    cache.set(`key ${i}`, ["q"]);
    expect(cache.get("used")).toEqual(["q"]);
    if (i % 1000 === 0) largest = Math.max(largest, cache.size);
  }
  expect(cache.get("key 0")).toBeUndefined();
  expect(largest).toBeGreaterThan(routeCacheSizeMax);
  expect(largest).toBeLessThanOrEqual(2 * routeCacheSizeMax);
});

it("does not keep a route with more destinations than a generation holds", () => {
  const cache = new RouteCache<number>();
  cache.set(
    "wide",
    Array.from({ length: routeCacheSizeMax }, (_, i) => i),
  );
  expect([cache.get("wide"), cache.size]).toEqual([undefined, 0]);
});

describe("when keys hardly ever come again", () => {
  /** Looks up `count` keys, `distinct` of them different, as an exchange does; returns how many went by the cache. */
  function lookUp(cache: RouteCache<string>, count: number, distinct: number): number {
    let cached = 0;
    for (let i = 0; i < count; i++) {
      if (cache.isResting()) continue;
      cached++;
      const key = `key ${i % distinct}`;
      if (cache.get(key) === undefined) cache.set(key, ["q"]);
    }
    return cached;
  }

  it("rests, holds nothing, and tries again", () => {
    const cache = new RouteCache<string>();
    const cached = lookUp(cache, 30_000, 30_000);
    expect([cached < 10_000, cache.size]).toEqual([true, 0]);
    expect(lookUp(cache, 100_000, 100)).toBeGreaterThan(70_000);
  });

  it("does not rest while one in four is known", () => {
    expect(lookUp(new RouteCache<string>(), 30_000, 1000)).toBe(30_000);
  });
});
