import { plainAddress } from "./addresses.ts";
import type { KnownLogins } from "./known-logins.ts";
import type { LoginBackoff } from "./login-backoff.ts";
import type { User, Users } from "./users.ts";

/** What a client says of itself, and where it says it from. */
export interface Credentials {
  readonly username: string;
  readonly password: string;
  readonly address: string;
}

/** Who logged in, or why not: the reason is for the log, a client is told nothing of it. */
export type AuthenticationResult =
  | { readonly ok: true; readonly user: User }
  | {
      readonly ok: false;
      readonly because: "credentials" | "address" | "too many failures";
      readonly reason: string;
    };

/** What logging in needs of the broker. */
export interface AuthenticationHost {
  readonly users: Pick<Users, "find">;
  readonly config: {
    /** Users who may only come from this machine. */
    readonly loopbackUsers: readonly string[];
  };
  readonly clock: { now(): number };
  readonly loginBackoff: LoginBackoff;
  readonly knownLogins: KnownLogins;
}

/** Checks a user name and password, unless too many were wrong before. */
export async function authenticate(host: AuthenticationHost, credentials: Credentials): Promise<AuthenticationResult> {
  const { username, address } = credentials;
  const before = mustWait(host, credentials);
  if (before !== undefined) return before;
  const result = await checkPassword(host, credentials);
  // Whoever tries many passwords at once learns no more of them than who tries them one by one.
  const meanwhile = mustWait(host, credentials);
  if (meanwhile !== undefined) return meanwhile;
  if (result.ok) host.loginBackoff.succeeded(address, username);
  else if (result.because === "credentials") host.loginBackoff.failed(address, username, host.clock.now());
  return result;
}

function mustWait(
  { loginBackoff, clock }: AuthenticationHost,
  { username, address }: Credentials,
): AuthenticationResult | undefined {
  const waitMs = loginBackoff.waitMs(address, username, clock.now());
  if (waitMs === 0) return undefined;
  const reason = `user '${username}' must wait ${Math.ceil(waitMs / 1000)} s after too many failures`;
  return { ok: false, because: "too many failures", reason };
}

/** Checks a user whose name a certificate gives, which proves it. */
export function authenticateExternal(
  host: Pick<AuthenticationHost, "users" | "config">,
  username: string,
  address: string,
): AuthenticationResult {
  const user = host.users.find(username);
  return user === undefined ? refused(`user '${username}' - invalid credentials`) : admit(host, user, address);
}

async function checkPassword(
  host: AuthenticationHost,
  { username, password, address }: Credentials,
): Promise<AuthenticationResult> {
  const matches = await host.knownLogins.verify(host.users.find(username), password);
  // As the user is now: what was verified may have changed.
  const user = host.users.find(username);
  if (password === "") return refused(`user '${username}' attempted to log in with a blank password`);
  if (user === undefined || !matches) return refused(`user '${username}' - invalid credentials`);
  // Asked last: someone who does not know the password does not learn that it could have worked from here.
  return admit(host, user, address);
}

function admit({ config }: Pick<AuthenticationHost, "config">, user: User, address: string): AuthenticationResult {
  if (isLoopback(address) || !config.loopbackUsers.includes(user.name)) return { ok: true, user };
  return { ok: false, because: "address", reason: `user '${user.name}' can only connect via localhost` };
}

function refused(reason: string): AuthenticationResult {
  return { ok: false, because: "credentials", reason };
}

/** 127.0.0.0/8 and ::1, also as IPv4 mapped into IPv6. */
export function isLoopback(address: string): boolean {
  const plain = plainAddress(address);
  return plain === "::1" || plain.startsWith("127.");
}
