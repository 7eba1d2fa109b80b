import type { Page } from "playwright-core";
import { beforeAll, expect, it } from "vitest";
import { useBroker } from "../support/broker.ts";
import { addUser, asGuest } from "../support/management.ts";
import { chromium, describeWith } from "../support/programs.ts";
import { useUi } from "./browser.ts";

const broker = useBroker();
const admin = asGuest(broker);

/** The pages that the menu offers. */
async function menuOf(page: Page): Promise<string[]> {
  return page.getByRole("navigation", { name: "Pages" }).getByRole("link").allTextContents();
}

describeWith(chromium(), "the management page", (command) => {
  const ui = useUi(broker, command);

  beforeAll(async () => {
    await addUser(broker, "manager", ["management"], "/");
    await addUser(broker, "monitor", ["monitoring"]);
    await addUser(broker, "policymaker", ["policymaker"], "/");
    await addUser(broker, "untagged", [], "/");
    await admin.must("PUT", "/vhosts/hidden");
    await admin.must("PUT", "/permissions/hidden/guest", { configure: ".*", write: ".*", read: ".*" });
    await admin.must("PUT", "/queues/hidden/secret");
    await admin.must("PUT", "/queues/%2F/open");
  });

  it("is served with a policy that allows nothing inline and no other host", async () => {
    const response = await fetch(`${broker.managementUrl}/`);
    const policy = response.headers.get("content-security-policy") ?? "";
    expect(policy).toContain("default-src 'self'");
    expect(policy).toContain("frame-ancestors 'none'");
    expect(policy).not.toContain("unsafe");
    expect(response.headers.get("x-content-type-options")).toBe("nosniff");
    expect(response.headers.get("referrer-policy")).toBe("no-referrer");
    const html = await response.text();
    const asset = /src="\.\/(assets\/[^"]+\.js)"/.exec(html)?.[1] ?? "";
    const script = await fetch(`${broker.managementUrl}/${asset}`);
    expect([script.status, script.headers.get("cache-control")]).toEqual([200, expect.stringContaining("immutable")]);
    for (const path of ["/assets/", "/.built", "/assets/..%2f..%2fpackage.json", "/index.html.gz", "/assets"]) {
      expect([path, (await fetch(broker.managementUrl + path)).status]).toEqual([path, 404]);
    }
  });

  it("logs in and out, and stays logged in over a reload", async () => {
    const page = await ui.open("queues");
    await page.getByLabel("User name").fill("guest");
    await page.getByLabel("Password").fill("wrong");
    await page.getByRole("button", { name: "Log in" }).click();
    await page.getByText("Wrong user name or password.").waitFor();
    await page.getByLabel("Password").fill("guest");
    await page.getByRole("button", { name: "Log in" }).click();
    await page.getByRole("heading", { name: "Queues" }).waitFor();
    await page.reload();
    await page.getByRole("heading", { name: "Queues" }).waitFor();
    expect(page.url()).not.toContain("guest");
    expect(await page.context().cookies()).toEqual([]);
    expect(await page.evaluate(() => JSON.stringify(localStorage))).not.toContain(btoa("guest:guest"));
    await page.getByRole("button", { name: "Log out" }).click();
    await page.getByLabel("User name").waitFor();
    await page.reload();
    await page.getByLabel("User name").waitFor();
  });

  it("is closed to users without a tag", async () => {
    const page = await ui.open();
    await page.getByLabel("User name").fill("untagged");
    await page.getByLabel("Password").fill("untagged-pw");
    await page.getByRole("button", { name: "Log in" }).click();
    await page.getByText("This user has no tag that lets them see the management page.").waitFor();
  });

  it("shows to each tag what it may see", async () => {
    const administrator = await menuOf(await ui.openAs("guest", "guest"));
    const manager = await menuOf(await ui.openAs("manager", "manager-pw"));
    expect(administrator).toEqual(expect.arrayContaining(["Live log", "Users", "Permissions", "Definitions"]));
    for (const name of ["Live log", "Users", "Permissions", "Definitions"]) expect(manager).not.toContain(name);
    expect(manager).toEqual(expect.arrayContaining(["Overview", "Queues", "Exchanges", "Policies", "Limits"]));
    const policies = await ui.openAs("policymaker", "policymaker-pw", "policies");
    await policies.getByRole("button", { name: "Add policy…" }).waitFor();
    const monitor = await ui.openAs("monitor", "monitor-pw");
    await monitor.getByRole("heading", { name: /^Node / }).waitFor();
  });

  it("shows nobody what belongs to vhosts that they may not open", async () => {
    const page = await ui.openAs("manager", "manager-pw", "queues");
    await page.getByRole("link", { name: "open" }).waitFor();
    expect(await page.getByRole("link", { name: "secret" }).count()).toBe(0);
    await page.goto(`${broker.managementUrl}/#/queues/hidden/secret`);
    await page.getByRole("alert").getByText("User not authorised to access virtual host").waitFor();
    await page.goto(`${broker.managementUrl}/#/users`);
    await page.getByRole("alert").getByText("Not administrator user").waitFor();
    await page.goto(`${broker.managementUrl}/#/log`);
    await page.getByRole("alert").getByText("Not administrator user").waitFor();
    await page.goto(`${broker.managementUrl}/#/queues`);
    await page.getByRole("link", { name: "open" }).waitFor();
  });

  it("ends when the user is deleted", async () => {
    await addUser(broker, "leaving", ["management"], "/");
    const page = await ui.openAs("leaving", "leaving-pw", "queues");
    await page.getByRole("link", { name: "open" }).waitFor();
    await admin.must("DELETE", "/users/leaving");
    await page.getByText("Your login is no longer valid.").waitFor();
  });
});
