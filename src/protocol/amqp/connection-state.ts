import { BrokerError } from "../../errors.ts";
import type { Vhost } from "../../vhost.ts";

/** What was agreed in tune and tune-ok. Frame sizes in bytes, heartbeat in seconds; 0 is off. */
export interface Tuning {
  readonly channelMax: number;
  readonly frameMax: number;
  readonly heartbeat: number;
}

/** Each state carries exactly the facts known in it, so no field is ever "not set yet". */
export type ConnectionState =
  | { readonly name: "awaiting-header" }
  | { readonly name: "starting" }
  | { readonly name: "tuning"; readonly username: string }
  | { readonly name: "opening"; readonly username: string; readonly tuning: Tuning }
  | { readonly name: "running"; readonly username: string; readonly tuning: Tuning; readonly vhost: Vhost }
  | { readonly name: "closing" }
  | { readonly name: "closed" };

export type HandshakeEvent =
  | { readonly name: "protocol-header" }
  | { readonly name: "start-ok"; readonly username: string }
  | { readonly name: "tune-ok"; readonly tuning: Tuning }
  | { readonly name: "open"; readonly vhost: Vhost };

/** The handshake of AMQP 0-9-1 (2.2.4). Pure: it says what comes next, the caller does the I/O. */
export function advance(state: ConnectionState, event: HandshakeEvent): ConnectionState {
  switch (event.name) {
    case "protocol-header":
      if (state.name === "awaiting-header") return { name: "starting" };
      break;
    case "start-ok":
      if (state.name === "starting") return { name: "tuning", username: event.username };
      break;
    case "tune-ok":
      if (state.name === "tuning") return { name: "opening", username: state.username, tuning: event.tuning };
      break;
    case "open":
      if (state.name === "opening") return { ...state, name: "running", vhost: event.vhost };
      break;
    default:
      event satisfies never;
  }
  throw new BrokerError("CHANNEL_ERROR", `unexpected method in connection state ${state.name}`);
}
