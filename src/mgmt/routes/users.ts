import { userFrom, withHash } from "../../definition-fields.ts";
import { digestPassword } from "../../passwords.ts";
import { deleteUser, type User } from "../../users.ts";
import type { Api } from "../api.ts";
import { type Answer, answer, type Call, done, putAnswer } from "../call.ts";
import type { ManagementHost } from "../host.ts";
import { badRequest, found } from "../refusal.ts";
import { userView } from "../views.ts";

/** `/api/users`. */
export function userRoutes(api: Api, host: ManagementHost): void {
  const { users, permissions, limits } = host;
  const view = (user: User) => userView(user, limits);
  api.get("/users", "administrator", (call) => call.list([...users.list()].map(view), "name"));
  api.get("/users/without-permissions", "administrator", (call) => {
    const permitted = new Set([...permissions.list()].map(({ user }) => user));
    return call.list([...users.list()].filter(({ name }) => !permitted.has(name)).map(view), "name");
  });
  api.post("/users/bulk-delete", "administrator", (call) => bulkDelete(host, call));
  api.get("/users/:user", "administrator", (call) => call.item(view(found(users.find(call.parameter("user"))))));
  api.put("/users/:user", "administrator", (call) => putUser(host, call));
  api.delete("/users/:user", "administrator", (call) => {
    remove(host, call.parameter("user"), call);
    return done;
  });
  api.get("/auth/hash_password/:password", "administrator", (call) =>
    answer({ ok: digestPassword(call.parameter("password")) }),
  );
}

function remove(host: ManagementHost, name: string, { user }: Call): void {
  deleteUser(host, name);
  host.logs.management.info({ deleted: name, user: user.name }, "user deleted");
}

/** All of them or, when one does not exist, none. */
function bulkDelete(host: ManagementHost, call: Call): Answer {
  const names = call.body.require("users").findWords("users") ?? [];
  for (const name of names) if (host.users.find(name) === undefined) throw badRequest(`no user '${name}'`);
  for (const name of new Set(names)) remove(host, name, call);
  return done;
}

async function putUser({ users, logs: { management: log }, config }: ManagementHost, call: Call): Promise<Answer> {
  const name = call.parameter("user");
  const user = await withHash(userFrom(name, call.body, config.passwordHashing));
  const existing = users.find(name);
  users.put(user);
  if (existing !== undefined) return putAnswer("replaced");
  log.info({ created: name, user: call.user.name }, "user created");
  return putAnswer("created");
}
