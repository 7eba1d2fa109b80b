import type { ChannelView } from "../../connections.ts";
import type { Channel } from "./channel.ts";

/** A channel as management sees it. */
export function channelView(channel: Channel): ChannelView {
  const { transaction } = channel;
  return {
    number: channel.number,
    state: channel.isOpen ? "running" : "closing",
    prefetch: channel.prefetch,
    channelPrefetch: channel.channelPrefetch,
    confirms: channel.confirms !== undefined,
    transactional: transaction !== undefined,
    unacked: channel.unacked.count,
    unconfirmed: channel.confirms?.unconfirmed ?? 0,
    uncommitted: transaction?.publishCount ?? 0,
    uncommittedAcks: transaction?.settledCount ?? 0,
    consumers: [...channel.consumers.values()],
    counters: channel.counters,
  };
}
