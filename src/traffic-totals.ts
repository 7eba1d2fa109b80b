import { type QueueType, queueTypes } from "./queue/arguments.ts";
import { addQueueCounters, newQueueCounters, type QueueCounters } from "./queue/queue-counters.ts";
import type { Vhost, VhostCounters } from "./vhost.ts";

type PublishCounters = Pick<VhostCounters, "published" | "toConfirm" | "confirmed" | "returned" | "dropped">;

/** What all clients did since the broker started, in vhosts and queues that have gone too. */
export class TrafficTotals {
  readonly publishes: PublishCounters = { published: 0, toConfirm: 0, confirmed: 0, returned: 0, dropped: 0 };
  readonly queues: Record<QueueType, QueueCounters> = { classic: newQueueCounters(), quorum: newQueueCounters() };

  add(publishes: PublishCounters, queues: Readonly<Record<QueueType, QueueCounters>>): void {
    this.publishes.published += publishes.published;
    this.publishes.toConfirm += publishes.toConfirm;
    this.publishes.confirmed += publishes.confirmed;
    this.publishes.returned += publishes.returned;
    this.publishes.dropped += publishes.dropped;
    for (const type of queueTypes) addQueueCounters(this.queues[type], queues[type]);
  }

  addVhost({ counters, retired, queues }: Vhost): void {
    this.add(counters, retired);
    for (const queue of queues.values()) addQueueCounters(this.queues[queue.type], queue.counters);
  }
}
