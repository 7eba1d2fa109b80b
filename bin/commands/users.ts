import { hashPassword, isHashingAlgorithm, rabbitmqAlgorithm } from "../../src/passwords.ts";
import { command, flag, text } from "../command.ts";
import { ArgumentError, CommandError, exitCode, noSuchUser } from "../command-error.ts";
import type { Context } from "../context.ts";
import { ApiError, on, path, type Row } from "../management-client.ts";
import { secretArgument } from "../secret-argument.ts";

const passwordMeaning = "their password; asked for, or read from standard input, when left out";

const addUser = command({
  name: "add_user",
  group: "Users",
  summary: "creates a user, who may do nothing yet",
  arguments: { "<username>": "name of the user", "[password]": passwordMeaning },
  options: { isHash: flag("--pre-hashed-password", "the password is already a hash, in RabbitMQ's form") },
  run: async (context, { username, password }, { isHash }) => {
    const { api, output, program } = context;
    if (username === "") throw new ArgumentError("Bad argument: user cannot be an empty string", exitCode.dataError);
    output.banner(`Adding user "${username}" ...`);
    const secret = await secretArgument(password, context);
    if (await exists(context, username)) throw new CommandError(exitCode.software, `User "${username}" already exists`);
    await api.put(path`/users/${username}`, {
      ...(isHash ? { password_hash: secret } : { password: secret }),
      tags: "",
    });
    output.message(
      "Done. Don't forget to grant the user permissions to some virtual hosts! " +
        `See '${program} help set_permissions' to learn more.`,
    );
  },
});

const deleteUser = command({
  name: "delete_user",
  group: "Users",
  summary: "deletes a user",
  arguments: { "<username>": "name of the user" },
  run: async ({ api, output }, { username }) => {
    output.banner(`Deleting user "${username}" ...`);
    await api.delete(path`/users/${username}`).catch(on(404, () => noSuchUser(username)));
  },
});

const changePassword = command({
  name: "change_password",
  group: "Users",
  summary: "changes the password of a user",
  arguments: { "<username>": "name of the user", "[password]": passwordMeaning },
  run: async (context, { username, password }) => {
    context.output.banner(`Changing password for user "${username}" ...`);
    const secret = await secretArgument(password, context);
    await changeUser(context, username, () => ({ password: secret }));
  },
});

const clearPassword = command({
  name: "clear_password",
  group: "Users",
  summary: "takes the password away, so that the user cannot log in with one",
  arguments: { "<username>": "name of the user" },
  run: async (context, { username }) => {
    context.output.banner(`Clearing password for user "${username}" ...`);
    await changeUser(context, username, () => ({ password_hash: "" }));
  },
});

const authenticateUser = command({
  name: "authenticate_user",
  group: "Users",
  summary: "checks the password of a user",
  arguments: { "<username>": "name of the user", "[password]": passwordMeaning },
  run: async (context, { username, password }) => {
    const { api, output } = context;
    output.banner(`Authenticating user "${username}" ...`);
    const secret = await secretArgument(password, context);
    try {
      await api.as(username, secret).get("/whoami");
    } catch (error) {
      // Who has no tag for the HTTP API has logged in all the same when that is the reason to refuse.
      if (!(error instanceof ApiError) || error.status !== 401) throw error;
      if (error.message !== "Not management user") throw wrongCredentials(username, error);
    }
    output.message("Success");
  },
});

const setUserTags = command({
  name: "set_user_tags",
  group: "Users",
  summary: "sets the tags of a user, in place of those they have",
  arguments: {
    "<username>": "name of the user",
    "[tag...]": "administrator, monitoring, policymaker, management, or others; none takes all away",
  },
  run: async (context, { username, tag }) => {
    const tags = tag.flatMap((given) => given.split(",")).filter((name) => name !== "");
    context.output.banner(`Setting tags for user "${username}" to [${tags.join(", ")}] ...`);
    await changeUser(context, username, (user) => ({ ...credentialsOf(user), tags }));
  },
});

const hash = command({
  name: "hash_password",
  group: "Users",
  summary: "hashes a password in RabbitMQ's form, for add_user --pre-hashed-password and for definitions",
  arguments: { "[password]": "asked for, or read from standard input, when left out" },
  options: {
    algorithm: text("--hashing-algorithm <name>", "rabbit_password_hashing_sha256, _sha512 or _md5, or scrypt"),
  },
  run: async (context, { password }, { algorithm = rabbitmqAlgorithm }) => {
    if (!isHashingAlgorithm(algorithm)) {
      throw new ArgumentError(`Bad argument: unknown hashing algorithm '${algorithm}'`, exitCode.dataError);
    }
    const secret = await secretArgument(password, context);
    context.output.banner("Will hash password ...");
    context.output.message(await hashPassword(secret, algorithm));
  },
});

async function exists({ api }: Context, username: string): Promise<boolean> {
  try {
    await api.get(path`/users/${username}`);
    return true;
  } catch (error) {
    if (error instanceof ApiError && error.status === 404) return false;
    throw error;
  }
}

/** Puts a user again with a change; what the change does not name stays. */
async function changeUser({ api }: Context, username: string, change: (user: Row) => object): Promise<void> {
  const user = await api.item(path`/users/${username}`).catch(on(404, () => noSuchUser(username)));
  await api.put(path`/users/${username}`, { tags: user["tags"], ...change(user) });
}

function credentialsOf({ password_hash, hashing_algorithm }: Row): object {
  return { password_hash, hashing_algorithm };
}

function wrongCredentials(username: string, cause: ApiError): CommandError {
  const lines = [`Error: failed to authenticate user "${username}"`, `user '${username}' - invalid credentials`];
  return new CommandError(exitCode.dataError, lines.join("\n"), { cause });
}

/** The commands about users. */
export const userCommands = [addUser, deleteUser, changePassword, clearPassword, authenticateUser, setUserTags, hash];
