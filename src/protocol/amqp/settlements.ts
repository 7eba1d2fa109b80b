import type { Queue } from "../../queue/queue.ts";
import type { Channel } from "./channel.ts";
import type { Delivery, DeliveryOwner, Settlement } from "./unacked.ts";

/** Settles the delivery with this tag; false when there is none. */
export function settleOne(channel: Channel, tag: number, how: Settlement): boolean {
  const delivery = channel.unacked.take(tag);
  if (delivery === undefined) return channel.deadlines.settleLate(tag);
  settle(channel, delivery, how);
  if (how === "requeue" || how === "return") delivery.queue.resume();
  if (channel.channelPrefetch > 0) serveAll(channel);
  else delivery.owner?.serve();
  return true;
}

/** Settles all deliveries up to this tag. */
export function settleUpTo(channel: Channel, tag: number, how: Settlement): void {
  const queues = new Set<Queue>();
  const owners = new Set<DeliveryOwner>();
  for (;;) {
    const delivery = channel.unacked.takeFirst(tag);
    if (delivery === undefined) break;
    settle(channel, delivery, how);
    queues.add(delivery.queue);
    if (delivery.owner !== undefined) owners.add(delivery.owner);
  }
  channel.deadlines.settleLateUpTo(tag);
  // Only now: what is delivered again must not be settled by this very method.
  if (how === "requeue" || how === "return") for (const queue of queues) queue.resume();
  if (channel.channelPrefetch > 0) serveAll(channel);
  else for (const owner of owners) owner.serve();
}

function settle(channel: Channel, delivery: Delivery, how: Settlement): void {
  const { queue, segment, index, owner } = delivery;
  switch (how) {
    case "ack":
      channel.counters.acked++;
      if (queue.stored) channel.owesAcks = true;
      queue.ack(segment, index);
      break;
    case "requeue":
      queue.requeue(segment, index, false);
      break;
    case "return":
      queue.requeue(segment, index, true);
      break;
    case "reject":
      if (queue.stored) channel.owesAcks = true;
      queue.reject(segment, index);
      break;
    default:
      how satisfies never;
  }
  owner?.settledOne();
}

/** A channel-wide prefetch has room again: any of its consumers may go on. */
function serveAll(channel: Channel): void {
  for (const consumer of channel.consumers.values()) consumer.serve();
}
