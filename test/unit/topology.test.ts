import { beforeEach, describe, expect, it } from "vitest";
import type { ExchangeProperties } from "../../src/exchange/exchange.ts";
import { emptyTable, type FieldTable, type FieldValue } from "../../src/field-table.ts";
import type { Queue } from "../../src/queue/queue.ts";
import {
  bind,
  checkExclusive,
  declareExchange,
  declareQueue,
  deleteExchange,
  deleteQueue,
  type QueueDeclaration,
  unbind,
} from "../../src/topology.ts";
import type { Vhost, VhostExchange } from "../../src/vhost.ts";
import { content } from "../contract/exchange.ts";
import { publish, TestConsumer } from "../support/queue.ts";
import { declare, type TestVhostHost, testVhost } from "../support/vhost.ts";

const either = { ifUnused: false, ifEmpty: false };

describe("the topology of a vhost", () => {
  let vhost: Vhost;
  let host: TestVhostHost;
  let owner: object;

  beforeEach(() => {
    ({ vhost, host, owner } = testVhost());
  });

  function queue(rest: Partial<QueueDeclaration> = {}): Queue {
    return declareQueue(vhost, {
      name: "q",
      durable: true,
      exclusive: false,
      autoDelete: false,
      arguments: emptyTable,
      owner,
      serverNamed: false,
      ...rest,
    });
  }

  function exchange(name: string, rest: Partial<ExchangeProperties> = {}): VhostExchange {
    return declareExchange(vhost, {
      name,
      type: "fanout",
      durable: true,
      autoDelete: false,
      internal: false,
      arguments: emptyTable,
      ...rest,
    });
  }

  /** What is stored, once all is committed: "kind name". */
  function stored(): string[] {
    host.store.settle();
    return host.store.disk.state().definitions.map((definition) => {
      if (definition.kind === "binding") return `binding ${definition.source} ${definition.destination}`;
      return `${definition.kind} ${"name" in definition ? definition.name : ""}`;
    });
  }

  function routed(name: string, key = ""): string[] {
    return vhost.route(name, [key], content({})).targets.map((target) => target.name);
  }

  const integer = (type: "signedint" | "long", value: number): FieldValue => ({ type, value });
  const withTtl = (field: FieldValue): FieldTable => new Map([["x-message-ttl", field]]);

  describe("queue.declare", () => {
    it("gives the queue that is there, if it is equivalent", () => {
      const first = queue({ arguments: withTtl(integer("signedint", 5)) });
      expect(queue({ arguments: withTtl(integer("long", 5)) })).toBe(first);
      expect(queue({ arguments: new Map([...withTtl(integer("long", 5)), ["x-unknown", { type: "void" }]]) })).toBe(
        first,
      );
    });

    it.each<[Partial<QueueDeclaration>, string]>([
      [
        { durable: false },
        "inequivalent arg 'durable' for queue 'q' in vhost '/': received 'false' but current is 'true'",
      ],
      [
        { autoDelete: true },
        "inequivalent arg 'auto_delete' for queue 'q' in vhost '/': received 'true' but current is 'false'",
      ],
      [
        { arguments: emptyTable },
        "inequivalent arg 'x-message-ttl' for queue 'q' in vhost '/': received none but current is the value '5' of type 'signedint'",
      ],
      [
        { arguments: withTtl(integer("long", 6)) },
        "inequivalent arg 'x-message-ttl' for queue 'q' in vhost '/': received '6' but current is '5'",
      ],
    ])("refuses %o beside another", (rest, reason) => {
      const args = withTtl(integer("signedint", 5));
      queue({ arguments: args });
      expect(() => queue({ arguments: args, ...rest })).toThrow(`PRECONDITION_FAILED - ${reason}`);
    });

    it("keeps an exclusive queue to its owner and out of the store", () => {
      const own = queue({ exclusive: true });
      checkExclusive(own, owner);
      expect(() => checkExclusive(own, {})).toThrow(
        "RESOURCE_LOCKED - cannot obtain exclusive access to locked queue 'q'",
      );
      expect(() => queue({ exclusive: true, owner: {} })).toThrow("RESOURCE_LOCKED");
      expect(() => queue()).toThrow("RESOURCE_LOCKED");
      expect(queue({ exclusive: true })).toBe(own);
      expect(stored()).toEqual([]);
    });

    it("leaves names that begin with amq. to the broker", () => {
      expect(() => queue({ name: "amq.mine" })).toThrow(
        "ACCESS_REFUSED - queue name 'amq.mine' contains reserved prefix 'amq.*'",
      );
      expect(queue({ name: "amq.gen-1", serverNamed: true }).name).toBe("amq.gen-1");
    });

    it("counts as use: x-expires starts again", () => {
      const args: FieldTable = new Map([["x-expires", integer("long", 100)]]);
      queue({ arguments: args });
      host.clock.advance(60);
      queue({ arguments: args });
      host.clock.advance(60);
      expect(vhost.queues.has("q")).toBe(true);
      host.clock.advance(40);
      expect(vhost.queues.has("q")).toBe(false);
    });
  });

  describe("queue.delete", () => {
    it("takes bindings and messages with it, and says how many were ready", () => {
      const source = exchange("x");
      bind(vhost, source, queue(), "", emptyTable);
      publish(queue(), "a", "b");
      expect(stored()).toEqual(["exchange x", "queue q", "binding x q"]);
      const version = host.topologyVersion;
      expect(deleteQueue(vhost, "q", owner, either)).toBe(2);
      expect([routed("x"), source.bindingCount, stored()]).toEqual([[], 0, ["exchange x"]]);
      expect(host.topologyVersion).toBeGreaterThan(version);
      expect(deleteQueue(vhost, "q", owner, either)).toBe(0);
    });

    it("may be asked to spare one that is used or not empty", () => {
      const one = queue();
      publish(one, "a");
      expect(() => deleteQueue(vhost, "q", owner, { ...either, ifEmpty: true })).toThrow(
        "PRECONDITION_FAILED - queue 'q' in vhost '/' not empty",
      );
      one.addConsumer(new TestConsumer());
      expect(() => deleteQueue(vhost, "q", owner, { ...either, ifUnused: true })).toThrow(
        "PRECONDITION_FAILED - queue 'q' in vhost '/' in use",
      );
    });

    it("of another connection's exclusive queue is refused", () => {
      queue({ exclusive: true });
      expect(() => deleteQueue(vhost, "q", {}, either)).toThrow("RESOURCE_LOCKED");
    });
  });

  describe("auto-delete", () => {
    it("ends a queue when its last consumer goes, not before it had one", () => {
      const one = queue({ autoDelete: true });
      const consumers = [new TestConsumer(), new TestConsumer()];
      for (const consumer of consumers) one.addConsumer(consumer);
      one.removeConsumer(consumers[0] ?? new TestConsumer());
      expect(vhost.queues.has("q")).toBe(true);
      one.removeConsumer(consumers[1] ?? new TestConsumer());
      expect([vhost.queues.has("q"), stored()]).toEqual([false, []]);
    });

    it("ends an exchange with its last binding, and those that were bound to it in turn", () => {
      const [first, second] = ["first", "second"].map((name) => exchange(name, { autoDelete: true }));
      const target = queue();
      if (first === undefined || second === undefined) throw new Error("two were declared");
      bind(vhost, first, second, "", emptyTable);
      bind(vhost, second, target, "a", emptyTable);
      bind(vhost, second, target, "b", emptyTable);
      unbind(vhost, second, target, "a", emptyTable);
      expect(vhost.exchanges.has("second")).toBe(true);
      unbind(vhost, second, target, "b", emptyTable);
      expect([vhost.exchanges.has("second"), vhost.exchanges.has("first"), stored()]).toEqual([
        false,
        false,
        ["queue q"],
      ]);
    });

    it("follows a queue that goes", () => {
      bind(vhost, exchange("x", { autoDelete: true }), queue(), "", emptyTable);
      deleteQueue(vhost, "q", owner, either);
      expect(vhost.exchanges.has("x")).toBe(false);
    });

    it("ends exchanges bound in a circle together", () => {
      const [first, second] = ["first", "second"].map((name) => exchange(name, { autoDelete: true }));
      if (first === undefined || second === undefined) throw new Error("two were declared");
      bind(vhost, first, second, "", emptyTable);
      bind(vhost, second, first, "", emptyTable);
      deleteExchange(vhost, "first", false);
      expect([vhost.exchanges.has("first"), vhost.exchanges.has("second"), stored()]).toEqual([false, false, []]);
    });

    it("does not end an exchange that was never bound", () => {
      exchange("x", { autoDelete: true });
      unbind(vhost, exchange("x", { autoDelete: true }), queue(), "", emptyTable);
      expect(vhost.exchanges.has("x")).toBe(true);
    });
  });

  describe("exchange.declare and exchange.delete", () => {
    it.each<[Partial<ExchangeProperties>, string]>([
      [
        { type: "direct" },
        "inequivalent arg 'type' for exchange 'x' in vhost '/': received 'direct' but current is 'fanout'",
      ],
      [
        { internal: true },
        "inequivalent arg 'internal' for exchange 'x' in vhost '/': received 'true' but current is 'false'",
      ],
      [{ type: "x-unknown" }, "unknown exchange type 'x-unknown'"],
      [{ type: "" }, "invalid exchange type ''"],
      [
        { name: "y", arguments: new Map([["alternate-exchange", { type: "bool", value: true }]]) },
        "invalid type 'bool' for arg 'alternate-exchange' in exchange 'y' in vhost '/'",
      ],
    ])("refuse %o", (rest, reason) => {
      exchange("x");
      expect(() => exchange("x", rest)).toThrow(`PRECONDITION_FAILED - ${reason}`);
    });

    it("leave system exchanges alone", () => {
      expect(() => exchange("amq.mine")).toThrow("ACCESS_REFUSED");
      expect(exchange("amq.fanout").name).toBe("amq.fanout");
      expect(() => deleteExchange(vhost, "amq.fanout", false)).toThrow("ACCESS_REFUSED");
    });

    it("may spare an exchange in use; one that is not there is no error", () => {
      bind(vhost, exchange("x"), queue(), "", emptyTable);
      expect(() => deleteExchange(vhost, "x", true)).toThrow("PRECONDITION_FAILED - exchange 'x' in vhost '/' in use");
      deleteExchange(vhost, "x", false);
      deleteExchange(vhost, "x", true);
      expect([vhost.exchanges.has("x"), stored()]).toEqual([false, ["queue q"]]);
    });
  });

  describe("a binding", () => {
    it("is stored when both its ends are, once", () => {
      const source = exchange("x");
      const transient = exchange("t", { durable: false });
      const other = queue({ name: "transient", durable: false });
      for (const [from, to] of [
        [source, queue()],
        [source, queue()],
        [transient, queue()],
        [source, other],
      ] as const) {
        bind(vhost, from, to, "k", emptyTable);
      }
      expect(stored()).toEqual(["exchange x", "queue q", "binding x q"]);
      unbind(vhost, source, queue(), "k", emptyTable);
      unbind(vhost, source, queue(), "k", emptyTable);
      expect(stored()).toEqual(["exchange x", "queue q"]);
    });
  });

  describe("routing", () => {
    it("passes exchanges bound in a circle once, and a queue gets one copy", () => {
      const [first, second] = [exchange("first"), exchange("second")];
      bind(vhost, first, second, "", emptyTable);
      bind(vhost, second, first, "", emptyTable);
      for (const source of [first, second]) bind(vhost, source, queue(), "", emptyTable);
      expect(routed("first")).toEqual(["q"]);
    });

    it("goes on to the alternate exchange when nothing is bound, and ends in a circle of them", () => {
      const alternate = (name: string): FieldTable =>
        new Map([["alternate-exchange", { type: "longstr", value: name }]]);
      exchange("first", { arguments: alternate("second") });
      const second = exchange("second", { arguments: alternate("first") });
      expect(routed("first")).toEqual([]);
      bind(vhost, second, queue(), "", emptyTable);
      expect(routed("first")).toEqual(["q"]);
    });

    it("knows every queue by its name on the default exchange", () => {
      declare(vhost, "by-name");
      expect([routed("", "by-name"), routed("", "none")]).toEqual([["by-name"], []]);
      expect(() => routed("none")).toThrow("NOT_FOUND - no exchange 'none' in vhost '/'");
    });
  });
});
