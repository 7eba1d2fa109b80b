import type { Alarms } from "../../alarms.ts";
import type { AreaLogs } from "../../area-logs.ts";
import type { AuthAttempts } from "../../auth-attempts.ts";
import type { Churn } from "../../churn.ts";
import type { Clock } from "../../clock.ts";
import type { Config } from "../../config.ts";
import type { ConfirmFaults } from "../../confirm-faults.ts";
import type { ConnectionRegistry } from "../../connections.ts";
import type { EventSink } from "../../events.ts";
import type { FieldTable } from "../../field-table.ts";
import type { Histogram } from "../../histogram.ts";
import type { KnownLogins } from "../../known-logins.ts";
import type { Limits } from "../../limits.ts";
import type { LoginBackoff } from "../../login-backoff.ts";
import type { Permissions } from "../../permissions.ts";
import type { Store } from "../../store/store.ts";
import type { Users } from "../../users.ts";
import type { Vhosts } from "../../vhosts.ts";
import type { Heartbeats } from "./heartbeat.ts";
import type { OutputTurns } from "./output.ts";

/** What AMQP connections need of the broker. */
export interface AmqpHost {
  readonly config: Config;
  readonly clock: Clock;
  readonly store: Store;
  readonly logs: AreaLogs;
  readonly users: Users;
  readonly permissions: Permissions;
  readonly limits: Limits;
  readonly vhosts: Vhosts;
  readonly connections: ConnectionRegistry;
  readonly alarms: Alarms;
  readonly events: EventSink;
  readonly heartbeats: Heartbeats;
  readonly turns: OutputTurns;
  readonly confirmFaults: ConfirmFaults;
  readonly churn: Churn;
  /** Bytes of the bodies that were published. */
  readonly messageSizes: Histogram;
  readonly authAttempts: AuthAttempts;
  readonly loginBackoff: LoginBackoff;
  readonly knownLogins: KnownLogins;
  readonly serverProperties: FieldTable;
  /** Grows at every change that may send a message another way; routes remembered at another value are void. */
  readonly topologyVersion: number;
}
