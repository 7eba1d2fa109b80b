import { BrokerError } from "../../errors.ts";
import type { Message } from "../../record.ts";
import type { Route } from "../../route.ts";
import type { Channel } from "./channel.ts";
import { settleOne } from "./settlements.ts";
import { Transaction } from "./transaction.ts";
import type { Settlement } from "./unacked.ts";

/** The tx class. A commit is answered when all of it is on disk. */
export function handleTx(channel: Channel, name: "tx.select" | "tx.commit" | "tx.rollback"): void {
  switch (name) {
    case "tx.select":
      return select(channel);
    case "tx.commit":
      transactionOf(channel).commit(committerOf(channel));
      return channel.sendWhenStored("tx.commit-ok", {});
    case "tx.rollback":
      transactionOf(channel).rollback();
      return channel.send("tx.rollback-ok", {});
    default:
      name satisfies never;
  }
}

function select(channel: Channel): void {
  if (channel.confirms !== undefined) {
    throw new BrokerError("PRECONDITION_FAILED", "cannot switch from confirm to tx mode");
  }
  channel.transaction ??= new Transaction();
  channel.send("tx.select-ok", {});
}

function transactionOf(channel: Channel): Transaction {
  if (channel.transaction !== undefined) return channel.transaction;
  throw new BrokerError("PRECONDITION_FAILED", "channel is not transactional");
}

function committerOf(channel: Channel) {
  return {
    route: (message: Message, route: Route, mandatory: boolean) => channel.route(message, route, mandatory),
    settle: (tag: number, how: Settlement) => void settleOne(channel, tag, how),
  };
}
