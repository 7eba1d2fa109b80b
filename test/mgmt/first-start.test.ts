import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { useBroker } from "../support/broker.ts";
import { ManagementClient } from "../support/management.ts";

const folder = mkdtempSync(join(tmpdir(), "tsbroker-conf-"));
const file = join(folder, "rabbitmq.conf");
writeFileSync(
  file,
  `default_user = app
default_pass = secret
default_user_tags.monitoring = true
default_user_tags.administrator = false
default_permissions.configure = ^app
default_permissions.read = .*
default_permissions.write = ^$
management.path_prefix = /rabbit
default_queue_type = quorum
`,
);
afterAll(() => rmSync(folder, { recursive: true }));

const broker = useBroker({ args: ["--config", file] });
const authorization = `Basic ${Buffer.from("app:secret").toString("base64")}`;

function below(prefix: string): ManagementClient {
  return new ManagementClient({ managementUrl: `${broker.managementUrl}${prefix}` }, authorization);
}

describe("the first user", () => {
  it("has the tags, permissions and type of queues that the configuration gives", async () => {
    const api = below("/rabbit");
    expect(await api.read("/whoami")).toMatchObject({ name: "app", tags: ["monitoring"] });
    expect((await api.put("/queues/%2F/app.q", { durable: true })).status).toBe(201);
    expect(await api.read("/queues/%2F/app.q")).toMatchObject({ type: "quorum" });
    expect((await api.put("/queues/%2F/other")).status).not.toBe(201);
  });
});

describe("a path prefix", () => {
  it("is what all paths begin with, and nothing is found without it", async () => {
    expect((await below("").get("/whoami")).status).toBe(404);
    expect((await fetch(`${broker.managementUrl}/`)).status).toBe(404);
    expect((await fetch(`${broker.managementUrl}/rabbitmq/`)).status).toBe(404);
  });

  it("leads to the page as well", async () => {
    const page = await fetch(`${broker.managementUrl}/rabbit`);
    expect(page.url).toBe(`${broker.managementUrl}/rabbit/`);
    const [, script] = /src="\.\/([^"]+)"/.exec(await page.text()) ?? [];
    expect((await fetch(`${page.url}${script}`)).status).toBe(200);
  });
});
