import { topicPermissionFrom } from "../../definition-fields.ts";
import type { TopicPermission } from "../../permissions.ts";
import type { Api } from "../api.ts";
import { type Answer, type Call, done, putAnswer } from "../call.ts";
import type { ManagementHost } from "../host.ts";
import { found, notFound } from "../refusal.ts";
import { topicPermissionView } from "../views.ts";
import { vhostAndUser } from "./permissions.ts";

/** `/api/topic-permissions`, and the lists of them by vhost and by user. */
export function topicPermissionRoutes(api: Api, host: ManagementHost): void {
  const { permissions, vhosts, users } = host;
  const listed = (call: Call, rows: readonly TopicPermission[]): Promise<Answer> =>
    call.list(rows.map(topicPermissionView), "vhost", "user", "exchange");
  api.get("/topic-permissions", "administrator", (call) => listed(call, [...permissions.listTopics()]));
  api.get("/vhosts/:vhost/topic-permissions", "administrator", (call) => {
    const { name } = found(vhosts.find(call.parameter("vhost")));
    return listed(call, matching(host, { vhost: name }));
  });
  api.get("/users/:user/topic-permissions", "administrator", (call) => {
    const { name } = found(users.find(call.parameter("user")));
    return listed(call, matching(host, { user: name }));
  });
  for (const path of ["/topic-permissions/:vhost/:user", "/topic-permissions/:vhost/:user/:exchange"]) {
    api.get(path, "administrator", (call) => listed(call, named(host, call)));
    api.delete(path, "administrator", (call) => {
      for (const { vhost, user, exchange } of named(host, call)) permissions.clearTopic(vhost, user, exchange);
      return done;
    });
  }
  api.put("/topic-permissions/:vhost/:user", "administrator", (call) => putTopicPermission(host, call));
}

function matching({ permissions }: ManagementHost, wanted: Partial<TopicPermission>): TopicPermission[] {
  return [...permissions.listTopics()].filter(
    ({ vhost, user, exchange }) =>
      (wanted.vhost ?? vhost) === vhost && (wanted.user ?? user) === user && (wanted.exchange ?? exchange) === exchange,
  );
}

/** What the path names, at least one; the default exchange has a name in it. */
function named(host: ManagementHost, call: Call): TopicPermission[] {
  const exchange = call.findParameter("exchange");
  const rows = matching(host, {
    vhost: call.parameter("vhost"),
    user: call.parameter("user"),
    ...(exchange !== undefined && { exchange: exchange === "amq.default" ? "" : exchange }),
  });
  if (rows.length === 0) throw notFound();
  return rows;
}

function putTopicPermission(host: ManagementHost, call: Call): Answer {
  const { vhost, user } = vhostAndUser(host, call);
  const exists = matching(host, { vhost, user }).length > 0;
  host.permissions.setTopic(topicPermissionFrom(vhost, user, call.body));
  return putAnswer(exists ? "replaced" : "created");
}
