import type { ConnectionRegistry } from "./connections.ts";
import { BrokerError } from "./errors.ts";
import type { Limits } from "./limits.ts";
import { checkNameSize } from "./names.ts";
import { type HashingAlgorithm, hashPassword, isBase64, isHashingAlgorithm } from "./passwords.ts";
import type { Permissions } from "./permissions.ts";
import type { Store, UserDefinition } from "./store/store.ts";

/** Someone who may log in. The tags say what the management interface shows them. */
export type User = Omit<UserDefinition, "kind">;

/** Who exists, kept in memory and in the store. */
export class Users {
  readonly #store: Pick<Store, "define" | "undefine">;
  readonly #byName = new Map<string, User>();

  constructor(store: Pick<Store, "define" | "undefine">) {
    this.#store = store;
  }

  /** Takes in a user that the store already has. */
  restore({ kind: _, ...user }: UserDefinition): void {
    this.#byName.set(user.name, user);
  }

  get size(): number {
    return this.#byName.size;
  }

  find(name: string): User | undefined {
    return this.#byName.get(name);
  }

  get(name: string): User {
    const user = this.find(name);
    if (user === undefined) throw new BrokerError("NOT_FOUND", `no user '${name}'`);
    return user;
  }

  /** Adds a user or replaces the one of that name. An empty hash refuses every password. */
  put(user: User): void {
    checkUser(user);
    const { name, passwordHash, hashingAlgorithm, tags } = user;
    const stored = { name, passwordHash, hashingAlgorithm, tags: [...tags] };
    this.#byName.set(name, stored);
    this.#store.define({ kind: "user", ...stored });
  }

  /** Adds a user by password. */
  async putWithPassword(
    name: string,
    password: string,
    tags: readonly string[],
    hashingAlgorithm: HashingAlgorithm,
  ): Promise<void> {
    this.put({ name, passwordHash: await hashPassword(password, hashingAlgorithm), hashingAlgorithm, tags });
  }

  /** Removes a user; false when there was none. Permissions.forgetUser() removes their permissions. */
  delete(name: string): boolean {
    if (!this.#byName.delete(name)) return false;
    this.#store.undefine({ kind: "user", name });
    return true;
  }

  list(): Iterable<User> {
    return this.#byName.values();
  }
}

/** Checks that a user could be added. Throws PRECONDITION_FAILED. */
export function checkUser({ name, passwordHash, hashingAlgorithm }: User): void {
  if (name === "") throw new BrokerError("PRECONDITION_FAILED", "a user needs a name");
  checkNameSize("user", name);
  if (!isHashingAlgorithm(hashingAlgorithm)) {
    throw new BrokerError("PRECONDITION_FAILED", `unknown password hashing algorithm '${hashingAlgorithm}'`);
  }
  if (!isBase64(passwordHash)) {
    throw new BrokerError("PRECONDITION_FAILED", `the password hash of user '${name}' is not base64`);
  }
}

/** What knows of users besides {@link Users}. */
export interface UserTraces {
  readonly users: Users;
  readonly permissions: Permissions;
  readonly limits: Limits;
  readonly connections: ConnectionRegistry;
}

/** Deletes a user with their permissions, and closes their connections. Throws NOT_FOUND. */
export function deleteUser({ users, permissions, limits, connections }: UserTraces, name: string): void {
  users.get(name);
  users.delete(name);
  permissions.forgetUser(name);
  limits.forget("user", name);
  connections.closeUser(name);
}
