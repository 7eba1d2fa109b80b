import { setImmediate as nextTurn } from "node:timers/promises";
import { expect, it } from "vitest";
import { mapInSlices, Slices } from "../../../src/mgmt/slices.ts";

it("many at once have one slice in a turn, each in its time", async () => {
  let turn = 0;
  let isDone = false;
  const turns = (async () => {
    for (; !isDone; turn++) await nextTurn();
  })();
  const ran: { who: number; turn: number }[] = [];
  const work = async (who: number) => {
    const slices = new Slices();
    for (let i = 0; i < 3; i++) {
      await slices.next();
      ran.push({ who, turn });
    }
  };
  await Promise.all([work(0), work(1), work(2), work(3)]);
  isDone = true;
  await turns;
  expect(ran.map(({ who }) => who)).toEqual([0, 1, 2, 3, 0, 1, 2, 3, 0, 1, 2, 3]);
  expect(new Set(ran.map((each) => each.turn)).size).toBe(ran.length);
});

it("who comes while others wait has to wait as well", async () => {
  const first = new Slices();
  expect(first.isOver).toBe(false);
  const later = first.next();
  expect(new Slices().isOver).toBe(true);
  await later;
  expect(first.isOver).toBe(false);
  expect(new Slices().isOver).toBe(false);
});

it("all items are mapped, in their order", async () => {
  const items = Array.from({ length: 1000 }, (_, i) => i);
  const [mapped, squared] = await Promise.all([
    mapInSlices(items, (item) => item),
    mapInSlices(items, (item) => item ** 2),
  ]);
  expect(mapped).toEqual(items);
  expect(squared.at(-1)).toBe(999 ** 2);
});
