import { expect, it } from "vitest";
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
