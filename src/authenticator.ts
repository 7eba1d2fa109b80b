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
  | { readonly ok: false; readonly because: "credentials" | "address"; readonly reason: string };

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
    return { ok: false, because: "address", reason: `user '${username}' can only connect via localhost` };
  }
  return { ok: true, user };
}

function refused(reason: string): AuthenticationResult {
  return { ok: false, because: "credentials", reason };
}

/** 127.0.0.0/8 and ::1, also as IPv4 mapped into IPv6. */
export function isLoopback(address: string): boolean {
  const plain = address.startsWith("::ffff:") ? address.slice(7) : address;
  return plain === "::1" || plain.startsWith("127.");
}
