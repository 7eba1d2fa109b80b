import { BrokerError } from "../../errors.ts";
import type { Channel } from "./channel.ts";

/** confirm.select: from now on every publish on the channel is confirmed. */
export function handleConfirm(channel: Channel, nowait: boolean): void {
  if (channel.transaction !== undefined) {
    throw new BrokerError("PRECONDITION_FAILED", "cannot switch from tx to confirm mode");
  }
  channel.selectConfirms();
  if (!nowait) channel.send("confirm.select-ok", {});
}
