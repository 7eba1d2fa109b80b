import { beforeAll, describe, expect, it } from "vitest";
import { useBroker } from "../support/broker.ts";
import { Brokerctl } from "../support/brokerctl.ts";
import { as } from "../support/management.ts";

const broker = useBroker();
const brokerctl = new Brokerctl(broker, "in process");

async function loginStatus(username: string, password: string): Promise<number> {
  return (await as(broker, username, password).get("/whoami")).status;
}

describe("users", () => {
  it("are added with a password from the arguments or from standard input", async () => {
    expect(await brokerctl.out("add_user", "zoe", "zoe-pw")).toBe(
      'Adding user "zoe" ...\nDone. Don\'t forget to grant the user permissions to some virtual hosts! ' +
        "See 'brokerctl help set_permissions' to learn more.\n",
    );
    const { exitCode } = await brokerctl.run(["add_user", "zed"], { input: "zed-pw\n" });
    expect(exitCode).toBe(0);
    await brokerctl.out("set_user_tags", "zoe", "management");
    await brokerctl.out("set_user_tags", "zed", "management,monitoring");
    expect([await loginStatus("zoe", "zoe-pw"), await loginStatus("zed", "zed-pw")]).toEqual([200, 200]);
    expect(await brokerctl.json("list_users")).toEqual([
      { user: "guest", tags: ["administrator"] },
      { user: "zed", tags: ["management", "monitoring"] },
      { user: "zoe", tags: ["management"] },
    ]);
  });

  it("are not added without a password", async () => {
    expect(await brokerctl.run(["add_user", "nopass"])).toMatchObject({
      exitCode: 65,
      stderr: expect.stringContaining("No password was given"),
    });
    expect(await brokerctl.out("-s", "list_users")).not.toContain("nopass");
  });

  it("are not added twice", async () => {
    expect(await brokerctl.run(["-q", "add_user", "zoe", "other"])).toEqual({
      exitCode: 70,
      stdout: "",
      stderr: 'Error:\nUser "zoe" already exists\n',
    });
    expect(await loginStatus("zoe", "zoe-pw")).toBe(200);
  });

  it("keep their password when their tags change, and their tags when their password does", async () => {
    await brokerctl.out("change_password", "zed", "new-pw");
    await brokerctl.out("set_user_tags", "zed", "policymaker");
    expect(await loginStatus("zed", "new-pw")).toBe(200);
    expect(await brokerctl.out("authenticate_user", "zed", "new-pw")).toBe('Authenticating user "zed" ...\nSuccess\n');
    expect(await brokerctl.out("set_user_tags", "zed")).toBe('Setting tags for user "zed" to [] ...\n');
    expect(await brokerctl.out("-q", "authenticate_user", "zed", "new-pw")).toBe("Success\n");
  });

  it("cannot log in with a wrong password, or without one", async () => {
    const refused = { exitCode: 65, stderr: expect.stringContaining("user 'zed' - invalid credentials") };
    expect(await brokerctl.run(["authenticate_user", "zed", "wrong"])).toMatchObject(refused);
    await brokerctl.out("clear_password", "zed");
    expect(await brokerctl.run(["authenticate_user", "zed", "new-pw"])).toMatchObject(refused);
  });

  it("can be given a password that is hashed already", async () => {
    const hash = (await brokerctl.out("-q", "hash_password", "secret")).trim();
    await brokerctl.out("add_user", "hal", hash, "--pre-hashed-password");
    expect(await brokerctl.out("-q", "authenticate_user", "hal", "secret")).toBe("Success\n");
  });

  it("have limits", async () => {
    await brokerctl.out("set_user_limits", "zoe", '{"max-connections": 5, "max-channels": 9}');
    expect(await brokerctl.out("list_user_limits", "--user", "zoe")).toBe(
      'Listing limits for user "zoe" ...\n{"max-connections":5,"max-channels":9}\n',
    );
    expect(await brokerctl.out("-q", "list_user_limits", "--global")).toBe(
      'user\tlimits\nzoe\t{"max-connections":5,"max-channels":9}\n',
    );
    await brokerctl.out("clear_user_limits", "zoe", "max-channels");
    expect(await brokerctl.out("-s", "list_user_limits", "--user", "zoe")).toBe('{"max-connections":5}\n');
    const bad = await brokerctl.run(["set_user_limits", "zoe", '{"max-connections": 1, "max-queues": 1}']);
    expect(bad).toMatchObject({ exitCode: 69, stderr: expect.stringContaining("max-queues") });
    expect(await brokerctl.out("-s", "list_user_limits", "--user", "zoe")).toBe('{"max-connections":5}\n');
  });

  it("are deleted", async () => {
    await brokerctl.out("delete_user", "zoe");
    expect(await loginStatus("zoe", "zoe-pw")).toBe(401);
  });

  it.each([
    ["delete_user", "nobody"],
    ["change_password", "nobody", "x"],
    ["clear_password", "nobody"],
    ["set_user_tags", "nobody", "administrator"],
    ["set_user_limits", "nobody", '{"max-channels":1}'],
    ["set_permissions", "nobody", ".*", ".*", ".*"],
    ["clear_permissions", "nobody"],
    ["list_user_permissions", "nobody"],
  ])("that do not exist make %s end with 67", async (...args) => {
    const { exitCode, stderr } = await brokerctl.run(args);
    expect([exitCode, stderr]).toEqual([67, 'Error:\nUser "nobody" does not exist\n']);
  });
});

describe("permissions", () => {
  beforeAll(async () => {
    await brokerctl.run(["add_user", "pia", "x"]);
    await brokerctl.run(["add_vhost", "pv"]);
  });

  it("are set, listed and cleared", async () => {
    await brokerctl.out("set_permissions", "-p", "pv", "pia", "^a", "", ".*");
    expect(await brokerctl.out("list_user_permissions", "pia")).toBe(
      'Listing permissions for user "pia" ...\nvhost\tconfigure\twrite\tread\npv\t^a\t\t.*\n',
    );
    expect(await brokerctl.out("list_permissions", "-p", "pv", "--formatter", "csv")).toBe(
      '"user","configure","write","read"\n"guest",".*",".*",".*"\n"pia","^a","",".*"\n',
    );
    await brokerctl.out("clear_permissions", "-p", "pv", "pia");
    expect(await brokerctl.out("-q", "list_user_permissions", "pia")).toBe("");
  });

  it("for topics are set, listed and cleared", async () => {
    await brokerctl.out("set_topic_permissions", "-p", "pv", "pia", "amq.topic", "^a", "^b");
    const row = { exchange: "amq.topic", write: "^a", read: "^b" };
    expect(await brokerctl.json("list_topic_permissions", "-p", "pv")).toEqual([{ user: "pia", ...row }]);
    expect(await brokerctl.json("list_user_topic_permissions", "pia")).toEqual([{ vhost: "pv", ...row }]);
    await brokerctl.out("clear_topic_permissions", "-p", "pv", "pia", "amq.topic");
    expect(await brokerctl.json("list_topic_permissions", "-p", "pv")).toEqual([]);
  });

  it("need a virtual host that there is, and patterns that are some", async () => {
    const everything = [".*", ".*", ".*"];
    expect(await brokerctl.run(["set_permissions", "-p", "none", "pia", ...everything])).toMatchObject({
      exitCode: 69,
      stderr: "Error:\nVirtual host none does not exist\n",
    });
    expect(await brokerctl.run(["list_permissions", "-p", "none"])).toMatchObject({
      exitCode: 65,
      stderr: "Error:\nVirtual host 'none' does not exist\n",
    });
    expect(await brokerctl.run(["set_permissions", "pia", "*", ".*", ".*"])).toMatchObject({
      exitCode: 69,
      stderr: expect.stringContaining("invalid regular expression '*'"),
    });
  });
});
