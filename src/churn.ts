/** How often connections, channels and queues came and went since the broker started. */
export class Churn {
  connectionsCreated = 0;
  connectionsClosed = 0;
  channelsCreated = 0;
  channelsClosed = 0;
  /** Declarations, also of queues that were there. */
  queuesDeclared = 0;
  queuesCreated = 0;
  queuesDeleted = 0;
}
