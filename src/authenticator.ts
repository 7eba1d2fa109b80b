import { verifyPassword } from "./passwords.ts";
import type { User, Users } from "./users.ts";

/** What a client says of itself, and where it says it from. */
export interface Credentials {
  readonly username: string;
  readonly password: string;
  readonly fromLoopback: boolean;
}

/** Who logged in, or why not: the reason is for the log, a client is told nothing of it. */
export type AuthenticationResult =
  | { readonly ok: true; readonly user: User }
  | { readonly ok: false; readonly reason: string };

/** Checks a user name and password. `loopbackUsers` may only come from this machine. */
export function authenticate(
  users: Pick<Users, "find">,
  { username, password, fromLoopback }: Credentials,
  loopbackUsers: readonly string[],
): AuthenticationResult {
  const user = users.find(username);
  const matches = verifyPassword(password, user?.passwordHash ?? "", user?.hashingAlgorithm ?? "");
  if (password === "") return refused(`user '${username}' attempted to log in with a blank password`);
  if (user === undefined || !matches) return refused(`user '${username}' - invalid credentials`);
  // Asked last: someone who does not know the password does not learn that it could have worked from here.
  if (!fromLoopback && loopbackUsers.includes(username)) {
    return refused(`user '${username}' can only connect via localhost`);
  }
  return { ok: true, user };
}

function refused(reason: string): AuthenticationResult {
  return { ok: false, reason };
}
