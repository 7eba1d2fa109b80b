/** What went over a channel since it was opened. */
export class ChannelCounters {
  published = 0;
  confirmed = 0;
  /** Publishes that no queue took: sent back, as they were mandatory, or dropped. */
  returned = 0;
  dropped = 0;
  delivered = 0;
  deliveredNoAck = 0;
  got = 0;
  gotNoAck = 0;
  gotEmpty = 0;
  redelivered = 0;
  acked = 0;
}
