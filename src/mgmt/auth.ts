import { authenticate } from "../authenticator.ts";
import type { Access } from "../permissions.ts";
import type { User } from "../users.ts";
import type { Vhost } from "../vhost.ts";
import type { Call } from "./call.ts";
import type { ManagementHost } from "./host.ts";
import { notAuthorised, notFound, Refusal, vhostNotFound } from "./refusal.ts";

export type Method = "GET" | "PUT" | "POST" | "DELETE";

/**
 * Who may use a route. `vhost` asks for permissions on the vhost in the path, of which an administrator needs none to
 * look, and `policymaker` for that tag as well.
 */
export type Right =
  | "public"
  | "management"
  | "monitoring"
  | "vhost"
  | "policymaker"
  | "global-policymaker"
  | "administrator";

/** Tags that let a user use the management interface at all. */
const managementTags = ["administrator", "monitoring", "policymaker", "management"];

/** Sent when no credentials came, or wrong ones. */
export const challenge = 'Basic realm="RabbitMQ Management"';

export function isAdministrator(user: User): boolean {
  return user.tags.includes("administrator");
}

/** Whether the user sees what belongs to others. */
export function isMonitor(user: User): boolean {
  return isAdministrator(user) || user.tags.includes("monitoring");
}

function isPolicymaker(user: User): boolean {
  return isAdministrator(user) || user.tags.includes("policymaker");
}

/** Someone who did not say who they are, or not truthfully. */
export class LoginRefusal extends Refusal {}

/** Checks who asks, and whether they may. */
export class Guard {
  readonly #host: ManagementHost;

  constructor(host: ManagementHost) {
    this.#host = host;
  }

  /** The user of an Authorization header. Throws {@link LoginRefusal}. */
  async logIn(authorization: string | undefined, address: string): Promise<User> {
    const credentials = basicCredentials(authorization);
    if (credentials === undefined) throw new LoginRefusal(401, "", "");
    return await this.logInWith(credentials.username, credentials.password, address);
  }

  /** The user of this name and password, who must have a tag of management. Throws {@link LoginRefusal}. */
  async logInWith(username: string, password: string, address: string): Promise<User> {
    const {
      logs: { management: log },
      authAttempts,
    } = this.#host;
    const result = await authenticate(this.#host, { username, password, address });
    authAttempts.note("http", result.ok);
    if (!result.ok) {
      log.warn({ user: username, address }, `HTTP access denied: ${result.reason}`);
      const reason = result.because === "address" ? "User can only log in via localhost" : "Login failed";
      throw new LoginRefusal(401, "not_authorized", reason);
    }
    if (result.user.tags.some((tag) => managementTags.includes(tag))) return result.user;
    throw notAuthorised("Not management user");
  }

  /** Throws unless the user has the right; `vhost` is the one in the path. */
  check(user: User, right: Right, method: Method, vhost: string | undefined): void {
    switch (right) {
      case "public":
      case "management":
      case "vhost":
        break;
      case "monitoring":
        if (!isMonitor(user)) throw notAuthorised("Not monitor user");
        break;
      case "administrator":
        if (!isAdministrator(user)) throw notAuthorised("Not administrator user");
        break;
      case "global-policymaker":
      case "policymaker":
        if (!isPolicymaker(user)) throw notAuthorised("User not authorised to access object");
        break;
      default:
        right satisfies never;
    }
    if (vhost !== undefined && (right === "vhost" || right === "policymaker")) this.#checkVhost(user, method, vhost);
  }

  #checkVhost(user: User, method: Method, vhost: string): void {
    if (this.#host.vhosts.find(vhost) === undefined) throw method === "PUT" ? vhostNotFound() : notFound();
    if (!this.mayOpen(user, vhost)) throw notAuthorised("User not authorised to access virtual host");
  }

  /** The vhosts a list shows to who calls: those they may look into, or just the one that X-Vhost names. */
  visibleVhosts(call: Call): Vhost[] {
    const only = call.header("x-vhost") ?? "";
    const vhosts = [...this.#host.vhosts.list()].filter(({ name }) => only === "" || name === only);
    return vhosts.filter(({ name }) => this.mayOpen(call.user, name));
  }

  /** Throws unless the user has this access to a queue or exchange, as over AMQP. */
  authorize(user: User, vhost: Vhost, access: Access, name: string): void {
    if (!this.#host.permissions.allows(user.name, vhost.name, access, name)) throw accessRefused();
  }

  /** Throws unless the user may use this key of a topic exchange. */
  authorizeTopic(user: User, vhost: Vhost, access: "write" | "read", exchange: string, routingKey: string): void {
    const allowed = this.#host.permissions.allowsTopic(user.name, vhost.name, access, exchange, routingKey);
    if (!allowed) throw accessRefused();
  }

  /** Whether the user may look into a vhost. */
  mayOpen(user: User, vhost: string): boolean {
    return isAdministrator(user) || this.#host.permissions.allowsVhost(user.name, vhost);
  }
}

function accessRefused(): Refusal {
  return notAuthorised("Access refused.");
}

function basicCredentials(authorization: string | undefined): { username: string; password: string } | undefined {
  const [scheme, encoded] = authorization?.trim().split(/\s+/) ?? [];
  if (scheme?.toLowerCase() !== "basic" || encoded === undefined) return undefined;
  const text = Buffer.from(encoded, "base64").toString("utf8");
  const colon = text.indexOf(":");
  return colon < 0 ? undefined : { username: text.slice(0, colon), password: text.slice(colon + 1) };
}
