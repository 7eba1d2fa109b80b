import type { JSX } from "preact";
import { useEffect } from "preact/hooks";
import { Questions } from "./components/dialog.tsx";
import { Empty } from "./components/page.tsx";
import { Shell } from "./components/shell.tsx";
import { Toasts } from "./components/toasts.tsx";
import { live } from "./lib/live.ts";
import { useRoute } from "./lib/router.ts";
import { session } from "./lib/session.ts";
import { useStore } from "./lib/store.ts";
import { ApiPage } from "./pages/api.tsx";
import { BindingsPage } from "./pages/bindings.tsx";
import { ChannelPage, ChannelsPage } from "./pages/channels.tsx";
import { ConnectionPage, ConnectionsPage } from "./pages/connections.tsx";
import { ConsumersPage } from "./pages/consumers.tsx";
import { DefinitionsPage } from "./pages/definitions.tsx";
import { ExchangePage } from "./pages/exchange.tsx";
import { ExchangesPage } from "./pages/exchanges.tsx";
import { LimitsPage } from "./pages/limits.tsx";
import { LogPage } from "./pages/log.tsx";
import { LoginPage } from "./pages/login.tsx";
import { OverviewPage } from "./pages/overview.tsx";
import { PermissionsPage } from "./pages/permissions.tsx";
import { PoliciesPage, PolicyPage } from "./pages/policies.tsx";
import { QueuePage } from "./pages/queue.tsx";
import { QueuesPage } from "./pages/queues.tsx";
import { TopologyPage } from "./pages/topology.tsx";
import { UserPage, UsersPage } from "./pages/users.tsx";
import { VhostPage, VhostsPage } from "./pages/vhosts.tsx";

/** Everything: the login, or the page that the URL names. */
export function App(): JSX.Element {
  const who = useStore(session);
  useEffect(() => {
    if (who === undefined) live.stop();
  }, [who]);
  if (who === undefined) return <LoginPage />;
  return (
    <>
      <Shell>
        <Page />
      </Shell>
      <Questions />
      <Toasts />
    </>
  );
}

/** Pages of lists, by the first part of the URL. */
const lists: Readonly<Record<string, () => JSX.Element>> = {
  "": OverviewPage,
  connections: ConnectionsPage,
  channels: ChannelsPage,
  consumers: ConsumersPage,
  exchanges: ExchangesPage,
  queues: QueuesPage,
  bindings: BindingsPage,
  topology: TopologyPage,
  users: UsersPage,
  vhosts: VhostsPage,
  permissions: PermissionsPage,
  policies: PoliciesPage,
  limits: LimitsPage,
  definitions: DefinitionsPage,
  log: LogPage,
  api: ApiPage,
};

function Page(): JSX.Element {
  const { parts } = useRoute();
  const [list = "", first, second] = parts;
  if (first === undefined) {
    const Listed = Object.hasOwn(lists, list) ? lists[list] : undefined;
    return Listed === undefined ? <Empty>There is no such page.</Empty> : <Listed />;
  }
  const key = parts.join("/");
  if (list === "queues" && second !== undefined) return <QueuePage key={key} vhost={first} name={second} />;
  if (list === "exchanges" && second !== undefined) return <ExchangePage key={key} vhost={first} name={second} />;
  if (list === "policies" && second !== undefined) return <PolicyPage key={key} vhost={first} name={second} />;
  if (list === "connections") return <ConnectionPage key={key} name={first} />;
  if (list === "channels") return <ChannelPage key={key} name={first} />;
  if (list === "users") return <UserPage key={key} name={first} />;
  if (list === "vhosts") return <VhostPage key={key} name={first} />;
  return <Empty>There is no such page.</Empty>;
}
