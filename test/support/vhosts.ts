import { AreaLogs } from "../../src/area-logs.ts";
import { defaultLimits } from "../../src/broker-limits.ts";
import { Churn } from "../../src/churn.ts";
import type { Clock } from "../../src/clock.ts";
import { ConnectionRegistry } from "../../src/connections.ts";
import { Limits } from "../../src/limits.ts";
import { createLog } from "../../src/log.ts";
import { Permissions } from "../../src/permissions.ts";
import { Policies } from "../../src/policies.ts";
import { DeathCounts } from "../../src/queue/death-counts.ts";
import { MessageLatency } from "../../src/queue/message-latency.ts";
import { SegmentMemory } from "../../src/queue/segment-memory.ts";
import { Damages } from "../../src/store/damages.ts";
import { MemoryStore } from "../../src/store/memory-store.ts";
import { Vhosts, type VhostsHost } from "../../src/vhosts.ts";

/** What vhosts need of a broker, in memory. */
export class TestHost implements VhostsHost {
  readonly memory = new SegmentMemory(Number.POSITIVE_INFINITY);
  readonly pages = undefined;
  readonly churn = new Churn();
  readonly deaths = new DeathCounts();
  readonly latency = new MessageLatency();
  readonly damages = new Damages();
  readonly clock: Clock;
  readonly store = new MemoryStore();
  readonly logs = new AreaLogs(createLog("silent"), new Map());
  readonly permissions = new Permissions(this.store);
  readonly connections = new ConnectionRegistry();
  readonly limits = new Limits(this.store);
  readonly config = { limits: defaultLimits };
  readonly policies = new Policies(this.store);
  readonly defaultVhost = "/";
  readonly defaultQueueType = undefined;
  readonly definitions = this.store;
  readonly vhosts = new Vhosts(this);
  readonly events = { isHeard: false, emit: () => {} };
  #lastSegment = 0;
  #lastQueueId = 0;

  constructor(clock: Clock) {
    this.clock = clock;
  }

  get totals() {
    return this.vhosts.totals;
  }

  nextSegment(): number {
    return ++this.#lastSegment;
  }

  nextQueueId(): number {
    return ++this.#lastQueueId;
  }

  topologyChanged(): void {}
}
