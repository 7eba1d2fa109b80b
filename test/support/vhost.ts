import { AreaLogs } from "../../src/area-logs.ts";
import { defaultLimits } from "../../src/broker-limits.ts";
import { Churn } from "../../src/churn.ts";
import { emptyTable, type FieldTable } from "../../src/field-table.ts";
import { Limits } from "../../src/limits.ts";
import { createLog } from "../../src/log.ts";
import { Policies } from "../../src/policies.ts";
import { DeathCounts } from "../../src/queue/death-counts.ts";
import { MessageLatency } from "../../src/queue/message-latency.ts";
import type { Queue } from "../../src/queue/queue.ts";
import { SegmentMemory } from "../../src/queue/segment-memory.ts";
import { Damages } from "../../src/store/damages.ts";
import { declarePredefined, declareQueue, removeQueue } from "../../src/topology.ts";
import { Vhost, type VhostHost } from "../../src/vhost.ts";
import { DrivenClock } from "./driven-clock.ts";
import { DrivenStore } from "./queue.ts";

/** What a vhost needs around it. */
export class TestVhostHost implements VhostHost {
  readonly clock = new DrivenClock();
  readonly store = new DrivenStore();
  readonly logs = new AreaLogs(createLog("silent"), new Map());
  readonly memory = new SegmentMemory(Number.POSITIVE_INFINITY);
  readonly pages = undefined;
  readonly churn = new Churn();
  readonly deaths = new DeathCounts();
  readonly latency = new MessageLatency();
  readonly damages = new Damages();
  readonly policies = new Policies(this.store);
  readonly limits = new Limits(this.store);
  readonly config = { limits: defaultLimits };
  readonly totals = { queues: 0, exchanges: 0 };
  topologyVersion = 0;
  readonly events = { isHeard: false, emit: () => {} };
  #lastSegment = 0;
  #lastQueueId = 0;

  nextSegment(): number {
    return ++this.#lastSegment;
  }

  nextQueueId(): number {
    return ++this.#lastQueueId;
  }

  topologyChanged(): void {
    this.topologyVersion++;
  }
}

/** A vhost with its predefined exchanges, and the connection that declares in it. */
export function testVhost(): { host: TestVhostHost; vhost: Vhost; owner: object } {
  const host = new TestVhostHost();
  const vhost = new Vhost(
    "/",
    { description: "", tags: [], defaultQueueType: undefined, protectedFromDeletion: false },
    host,
    removeQueue,
  );
  declarePredefined(vhost, false);
  return { host, vhost, owner: {} };
}

/** Declares a durable queue that everybody may use. */
export function declare(vhost: Vhost, name: string, args: FieldTable = emptyTable): Queue {
  return declareQueue(vhost, {
    name,
    durable: true,
    exclusive: false,
    autoDelete: false,
    arguments: args,
    owner: {},
    serverNamed: false,
  });
}
