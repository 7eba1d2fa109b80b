/** What happened to the messages of a queue since it was made. */
export interface QueueCounters {
  published: number;
  delivered: number;
  deliveredNoAck: number;
  got: number;
  gotNoAck: number;
  gotEmpty: number;
  redelivered: number;
  acked: number;
  /** Messages read from the store, or from where memory had no room for them. */
  diskReads: number;
  /** Messages written to one of those. */
  diskWrites: number;
}

/** Counters of a queue to which nothing happened yet. */
export function newQueueCounters(): QueueCounters {
  return {
    published: 0,
    delivered: 0,
    deliveredNoAck: 0,
    got: 0,
    gotNoAck: 0,
    gotEmpty: 0,
    redelivered: 0,
    acked: 0,
    diskReads: 0,
    diskWrites: 0,
  };
}

/** Adds what one queue counted to a sum. */
export function addQueueCounters(sum: QueueCounters, counters: QueueCounters): void {
  sum.published += counters.published;
  sum.delivered += counters.delivered;
  sum.deliveredNoAck += counters.deliveredNoAck;
  sum.got += counters.got;
  sum.gotNoAck += counters.gotNoAck;
  sum.gotEmpty += counters.gotEmpty;
  sum.redelivered += counters.redelivered;
  sum.acked += counters.acked;
  sum.diskReads += counters.diskReads;
  sum.diskWrites += counters.diskWrites;
}
