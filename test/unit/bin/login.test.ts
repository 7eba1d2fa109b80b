import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, it, onTestFinished } from "vitest";
import { findLogin, type LoginSources } from "../../../bin/login.ts";

const none: LoginSources = {
  tls: {},
  flags: { url: undefined, user: undefined },
  env: {},
  file: undefined,
  ask: undefined,
};

function file(text: string, isShared = false): LoginSources["file"] {
  return { path: "/home/me/.config/tsbroker", text, isShared };
}

async function login(sources: Partial<LoginSources>): Promise<string> {
  const { url, username, password } = findLogin({ ...none, ...sources });
  return `${username}:${await password()} at ${url}`;
}

const local = "http://127.0.0.1:15672";

describe("the login", () => {
  it("is guest on this machine when nobody says otherwise", async () => {
    expect(await login({})).toBe(`guest:guest at ${local}`);
  });

  it("comes from the file, before it from the environment, before it from flags", async () => {
    const sources = {
      file: file("# mine\nurl = http://file:1\n\nuser=fred\n password = f = p \n"),
      env: { TSBROKER_URL: "http://env:2/", TSBROKER_USER: "eve", TSBROKER_PASSWORD: "e" },
      flags: { url: "https://flag:3/prefix/api/", user: "flora" },
    };
    expect(await login({ file: sources.file })).toBe("fred:f = p at http://file:1");
    expect(await login({ file: sources.file, env: sources.env })).toBe("eve:e at http://env:2");
    expect(await login(sources)).toBe("flora:e at https://flag:3/prefix");
  });

  it("does not give the password of one user to another", async () => {
    const sources = { file: file("user = fred\npassword = secret\n"), flags: { url: undefined, user: "flora" } };
    await expect(login(sources)).rejects.toMatchObject({ code: 65, message: expect.stringContaining("'flora'") });
    expect(await login({ ...sources, ask: async (prompt) => `asked with ${prompt}` })).toBe(
      `flora:asked with Password of flora:  at ${local}`,
    );
  });

  it("is the first user of the broker in the broker's own container", async () => {
    expect(await login({ env: { RABBITMQ_DEFAULT_USER: "app", RABBITMQ_DEFAULT_PASS: "pw" } })).toBe(
      `app:pw at ${local}`,
    );
  });

  it("is in the files that such variables name, with a line end or without", async () => {
    const directory = mkdtempSync(join(tmpdir(), "tsbroker-login-"));
    onTestFinished(() => rmSync(directory, { recursive: true }));
    const [user, password] = [join(directory, "user"), join(directory, "password")];
    writeFileSync(user, "app");
    writeFileSync(password, "p w\n");
    const env = { RABBITMQ_DEFAULT_USER_FILE: user, RABBITMQ_DEFAULT_PASS_FILE: password };
    expect(await login({ env })).toBe(`app:p w at ${local}`);
    expect(await login({ env: { ...env, RABBITMQ_DEFAULT_PASS: "spelled out" } })).toBe(`app:spelled out at ${local}`);
    await expect(login({ env: { TSBROKER_PASSWORD_FILE: join(directory, "none") } })).rejects.toMatchObject({
      code: 78,
      message: expect.stringContaining("TSBROKER_PASSWORD_FILE cannot be read"),
    });
  });

  it("may be in the URL", async () => {
    expect(await login({ env: { TSBROKER_URL: "http://a%40b:p%2Fw@host:1" } })).toBe("a@b:p/w at http://host:1");
  });

  it("is refused when the URL is none", async () => {
    await expect(login({ env: { TSBROKER_URL: "localhost:15672" } })).rejects.toMatchObject({ code: 64 });
  });

  it("is refused when the file says what it cannot mean, or when others can read its password", async () => {
    await expect(login({ file: file("user = a\npasswd = b\n") })).rejects.toMatchObject({
      code: 78,
      message: expect.stringContaining("/home/me/.config/tsbroker line 2"),
    });
    await expect(login({ file: file("password = b\n", true) })).rejects.toMatchObject({
      code: 78,
      message: expect.stringContaining("chmod 600"),
    });
    expect(await login({ file: file("user = guest\n", true) })).toBe(`guest:guest at ${local}`);
  });
});
