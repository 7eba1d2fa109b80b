import { permissionFrom } from "../../definition-fields.ts";
import type { Api } from "../api.ts";
import { type Answer, type Call, done, putAnswer } from "../call.ts";
import type { ManagementHost } from "../host.ts";
import { badRequest, found, notFound } from "../refusal.ts";
import { permissionView } from "../views.ts";

/** `/api/permissions`, and the lists of them by vhost and by user. */
export function permissionRoutes(api: Api, host: ManagementHost): void {
  const { permissions, vhosts, users } = host;
  api.get("/permissions", "administrator", (call) =>
    call.list([...permissions.list()].map(permissionView), "vhost", "user"),
  );
  api.get("/vhosts/:vhost/permissions", "administrator", (call) => {
    const { name } = found(vhosts.find(call.parameter("vhost")));
    return call.list([...permissions.list()].filter(({ vhost }) => vhost === name).map(permissionView), "user");
  });
  api.get("/users/:user/permissions", "administrator", (call) => {
    const { name } = found(users.find(call.parameter("user")));
    return call.list([...permissions.list()].filter(({ user }) => user === name).map(permissionView), "vhost");
  });
  api.get("/permissions/:vhost/:user", "administrator", (call) =>
    call.item(permissionView(found(permissions.find(call.parameter("vhost"), call.parameter("user"))))),
  );
  api.put("/permissions/:vhost/:user", "administrator", (call) => putPermission(host, call));
  api.delete("/permissions/:vhost/:user", "administrator", (call) => {
    if (!permissions.clear(call.parameter("vhost"), call.parameter("user"))) throw notFound();
    return done;
  });
}

function putPermission(host: ManagementHost, call: Call): Answer {
  const { vhost, user } = vhostAndUser(host, call);
  const existing = host.permissions.find(vhost, user);
  host.permissions.set(permissionFrom(vhost, user, call.body));
  return putAnswer(existing === undefined ? "created" : "replaced");
}

/** The vhost and user that the path names; both must be there before someone can be permitted something. */
export function vhostAndUser({ vhosts, users }: ManagementHost, call: Call): { vhost: string; user: string } {
  const vhost = call.parameter("vhost");
  const user = call.parameter("user");
  if (vhosts.find(vhost) === undefined || users.find(user) === undefined) throw badRequest("vhost_or_user_not_found");
  return { vhost, user };
}
