import type { Alarms } from "../alarms.ts";
import type { AreaLogs } from "../area-logs.ts";
import type { AuthAttempts } from "../auth-attempts.ts";
import type { Churn } from "../churn.ts";
import type { Clock } from "../clock.ts";
import type { Config } from "../config.ts";
import type { ConnectionRegistry } from "../connections.ts";
import type { GlobalParameters } from "../global-parameters.ts";
import type { Histogram } from "../histogram.ts";
import type { KnownLogins } from "../known-logins.ts";
import type { Limits } from "../limits.ts";
import type { ListenerView } from "../listeners.ts";
import type { LoginBackoff } from "../login-backoff.ts";
import type { Metrics } from "../metrics.ts";
import type { Permissions } from "../permissions.ts";
import type { Policies } from "../policies.ts";
import type { DeathCounts } from "../queue/death-counts.ts";
import type { MessageLatency } from "../queue/message-latency.ts";
import type { RecentLog } from "../recent-log.ts";
import type { ResourceMonitor } from "../resource-monitor.ts";
import type { Backups, Damage, Store } from "../store/store.ts";
import type { Users } from "../users.ts";
import type { Vhosts } from "../vhosts.ts";

/** What operators do to a running broker as a whole. */
export interface Operations {
  readonly isDrained: boolean;
  /** Lets no clients in, cancels consumers, and closes connections once they hold nothing, or after so long. */
  drain(timeoutMs: number): Promise<void>;
  /** Lets clients in again. Rejects when a port was taken meanwhile. */
  revive(): Promise<void>;
  /** Reads configuration and certificates again. Throws when they cannot be used. */
  reload(): void;
}

/** What management needs of the broker. */
export interface ManagementHost {
  readonly config: Config;
  /** Where definitions and messages are; undefined when all is in memory. */
  readonly dataDir: string | undefined;
  readonly logs: AreaLogs;
  readonly recentLog: RecentLog;
  readonly clock: Clock;
  readonly store: Store;
  readonly backups: Backups;
  readonly authAttempts: AuthAttempts;
  readonly loginBackoff: LoginBackoff;
  readonly knownLogins: KnownLogins;
  readonly users: Users;
  readonly permissions: Permissions;
  readonly policies: Policies;
  readonly limits: Limits;
  readonly globalParameters: GlobalParameters;
  readonly vhosts: Vhosts;
  readonly connections: ConnectionRegistry;
  readonly alarms: Alarms;
  /** The queues with stored messages that were found damaged. */
  readonly damages: { list(): readonly Omit<Damage, "segment">[] };
  readonly resources: ResourceMonitor;
  readonly operations: Operations;
  readonly metrics: Metrics;
  readonly churn: Churn;
  readonly deaths: DeathCounts;
  readonly latency: MessageLatency;
  /** Bytes of the bodies that were published. */
  readonly messageSizes: Histogram;
  readonly listeners: readonly ListenerView[];
  /** When the broker started, in milliseconds since the epoch. */
  readonly startedAt: number;
}
