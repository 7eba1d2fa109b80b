import { expect, it } from "vitest";
import { Events, eventExchange } from "../../src/events.ts";
import { emptyTable } from "../../src/field-table.ts";
import { bind, declarePredefined } from "../../src/topology.ts";
import { declare, testVhost } from "../support/vhost.ts";

it("asks nobody what happened unless somebody listens", async () => {
  const { vhost } = testVhost();
  const now = 1;
  const events = new Events(
    () => vhost,
    () => now,
  );
  let asked = 0;
  const fields = () => ({ asked: ++asked });
  declarePredefined(vhost, true);
  events.emit("some.event", fields);
  expect([events.isHeard, asked]).toEqual([false, 0]);
  const queue = declare(vhost, "q");
  bind(vhost, vhost.getExchange(eventExchange), queue, "#", emptyTable);
  events.emit("some.event", fields);
  await Promise.resolve();
  expect([events.isHeard, asked, queue.ready]).toEqual([true, 1, 1]);
});
