import type { Page } from "playwright-core";
import { beforeAll, expect, it } from "vitest";
import { useAmqpClient } from "../support/amqp-client.ts";
import { useBroker } from "../support/broker.ts";
import { asGuest } from "../support/management.ts";
import { chromium, describeWith } from "../support/programs.ts";
import { eventually } from "../support/wait-for.ts";
import { useUi } from "./browser.ts";

const broker = useBroker();
const amqp = useAmqpClient(broker);
const admin = asGuest(broker);

async function status(path: string): Promise<number> {
  return (await admin.get(path)).status;
}

/** Clicks a button of the page, then one of the dialog it opens; returns what the dialog says. */
async function confirm(page: Page, button: string, action: string | RegExp, typed?: string): Promise<string> {
  await page.getByRole("button", { name: button, exact: true }).first().click();
  const dialog = page.getByRole("dialog");
  const text = (await dialog.textContent()) ?? "";
  if (typed !== undefined) {
    expect(await dialog.getByRole("button", { name: action }).isDisabled()).toBe(true);
    await dialog.getByRole("textbox").fill(typed);
  }
  await dialog.getByRole("button", { name: action }).click();
  return text;
}

describeWith(chromium(), "on the management page one", (command) => {
  const ui = useUi(broker, command);
  const open = (hash: string): Promise<Page> => ui.openAs("guest", "guest", hash);

  beforeAll(async () => {
    await admin.must("PUT", "/queues/%2F/target");
  });

  it("declares a queue with arguments, and keeps what was entered when that fails", async () => {
    const page = await open("queues");
    await page.getByRole("button", { name: "Add queue…" }).click();
    const dialog = page.getByRole("dialog");
    await dialog.getByLabel("Name", { exact: true }).fill("made");
    await dialog.getByRole("button", { name: "+ Message TTL" }).click();
    await dialog.getByLabel("Arguments: value 1").fill("soon");
    await dialog.getByLabel("Type", { exact: true }).selectOption("quorum");
    await dialog.getByRole("button", { name: "Add queue", exact: true }).click();
    await dialog.getByText("x-message-ttl should be a number, and is “soon”.").waitFor();
    expect(await dialog.getByLabel("Name", { exact: true }).inputValue()).toBe("made");
    await dialog.getByLabel("Arguments: value 1").fill("60000");
    await dialog.getByRole("button", { name: "Add queue", exact: true }).click();
    await page.getByRole("link", { name: "made" }).waitFor();
    expect(await admin.read("/queues/%2F/made")).toMatchObject({
      type: "quorum",
      arguments: { "x-message-ttl": 60_000, "x-queue-type": "quorum" },
    });
  });

  it("publishes, purges and deletes, and is told what that destroys", async () => {
    await admin.must("PUT", "/queues/%2F/doomed");
    const page = await open("queues/%2F/doomed?tab=publish");
    await page.getByLabel("Payload", { exact: true }).fill('{"n": 1}');
    for (let n = 1; n <= 2; n++) {
      await page.getByRole("button", { name: "Publish message" }).click();
      await page.getByRole("tab", { name: `Messages ${n}` }).waitFor();
    }
    expect(await confirm(page, "Purge…", "Destroy 2 messages")).toContain("2 ready messages will be destroyed");
    await page.getByRole("tab", { name: "Messages 0" }).waitFor();
    const asked = await confirm(page, "Delete…", "Delete queue");
    expect(asked).toContain("0 messages and all bindings will be destroyed; 0 consumers will be cancelled.");
    await page.getByRole("heading", { name: "Queues" }).waitFor();
    expect(await status("/queues/%2F/doomed")).toBe(404);
  });

  it("types the name first where very much would be lost", async () => {
    await admin.must("PUT", "/queues/%2F/precious");
    const channel = await amqp.confirmChannel();
    for (let n = 0; n < 1000; n++) channel.sendToQueue("precious", Buffer.from("x"));
    await channel.waitForConfirms();
    const page = await open("queues/%2F/precious");
    await page.getByRole("tab", { name: "Messages 1,000" }).waitFor();
    await confirm(page, "Delete…", "Delete queue", "precious");
    await eventually(async () => expect(await status("/queues/%2F/precious")).toBe(404));
  });

  it("ticks several queues and deletes them at once", async () => {
    for (const name of ["bulk-1", "bulk-2", "bulk-3"]) await admin.must("PUT", `/queues/%2F/${name}`);
    const page = await open("queues");
    await page.getByRole("searchbox").fill("bulk");
    await page.getByText("3 queues").waitFor();
    await page.getByLabel("Tick / bulk-1").check();
    await page.getByLabel("Tick / bulk-3").check();
    expect(await confirm(page, "Delete…", "Delete 2 queues")).toContain("bulk-3");
    await page.getByText("1 queue", { exact: true }).waitFor();
    expect(await status("/queues/%2F/bulk-2")).toBe(200);
  });

  it("declares an exchange, binds it, asks where a message would go, unbinds and deletes it", async () => {
    const page = await open("exchanges");
    await page.getByRole("button", { name: "Add exchange…" }).click();
    const dialog = page.getByRole("dialog");
    await dialog.getByLabel("Name", { exact: true }).fill("made");
    await dialog.getByLabel("Type", { exact: true }).selectOption("topic");
    await dialog.getByRole("button", { name: "Add exchange", exact: true }).click();
    await page.getByRole("link", { name: "made" }).click();
    await page.getByText("Bind something to this exchange").click();
    await page.getByLabel("Queue", { exact: true }).fill("target");
    await page.locator("form", { hasText: "Bind" }).getByLabel("Routing key").last().fill("orders.*");
    await page.getByRole("button", { name: "Bind", exact: true }).click();
    await page.getByRole("button", { name: "Unbind…" }).waitFor();
    const finder = page.locator("section", { hasText: "Where would this message go?" });
    await finder.getByLabel("Routing key").fill("orders.new");
    await finder.getByRole("button", { name: "Find out" }).click();
    await finder.getByText("It would go to 1 queue").waitFor();
    await finder.getByLabel("Routing key").fill("other");
    await finder.getByRole("button", { name: "Find out" }).click();
    await finder.getByText("Nowhere: it would be dropped").waitFor();
    expect(await confirm(page, "Unbind…", "Unbind")).toContain("will no longer reach target");
    await page.getByText("No bindings.").waitFor();
    expect(await confirm(page, "Delete…", "Delete exchange")).toContain("0 bindings from it");
    await eventually(async () => expect(await status("/exchanges/%2F/made")).toBe(404));
  });

  it("binds from the page of bindings", async () => {
    const page = await open("bindings");
    await page.getByRole("button", { name: "Bind…" }).click();
    const dialog = page.getByRole("dialog");
    await dialog.getByLabel("From exchange").fill("amq.direct");
    await dialog.getByLabel("Queue", { exact: true }).fill("target");
    await dialog.getByLabel("Routing key").fill("from-the-list");
    await dialog.getByRole("button", { name: "Bind", exact: true }).click();
    await page.getByRole("cell", { name: "from-the-list" }).waitFor();
  });

  it("closes a connection", async () => {
    const connection = await amqp.connect();
    const closed = new Promise((resolve) => connection.once("close", resolve));
    await connection.createChannel();
    const page = await open("connections");
    await page
      .getByRole("link", { name: /127\.0\.0\.1/ })
      .first()
      .click();
    await page.getByRole("heading", { name: "Client properties" }).waitFor();
    expect(await confirm(page, "Close…", "Close connection")).toContain("Unacked messages go back to their queues");
    await closed;
  });

  it("adds a user, permits, changes and deletes them", async () => {
    const page = await open("users");
    await page.getByRole("button", { name: "Add user…" }).click();
    const dialog = page.getByRole("dialog");
    await dialog.getByLabel("Name", { exact: true }).fill("ada");
    await dialog.getByRole("button", { name: "Generate" }).click();
    expect(await dialog.getByLabel("Password").inputValue()).toMatch(/^[A-Za-z2-9]{24}$/);
    await dialog.getByLabel("Tags").selectOption("monitoring");
    await dialog.getByRole("button", { name: "Add user", exact: true }).click();
    await page.getByRole("link", { name: "ada" }).click();
    await page.getByText("Set permissions in a virtual host").click();
    await page.getByLabel("Write", { exact: true }).first().fill("^ada");
    await page.getByRole("button", { name: "Set permissions", exact: true }).click();
    await page.getByRole("button", { name: "Clear…" }).waitFor();
    expect(await admin.read("/permissions/%2F/ada")).toMatchObject({ configure: ".*", write: "^ada", read: ".*" });
    await confirm(page, "Clear…", "Clear permissions");
    await page.getByText("None: nothing may be done.").waitFor();
    await page.getByText("Restrict routing keys on a topic exchange").click();
    await page.getByRole("button", { name: "Set topic permissions" }).click();
    await confirm(page, "Lift…", "Lift restriction");
    await page.getByText("Change tags or password").click();
    await page.getByLabel("Tags").selectOption("administrator");
    await page.getByRole("button", { name: "Save" }).click();
    await eventually(async () => expect(await admin.read("/users/ada")).toMatchObject({ tags: ["administrator"] }));
    await confirm(page, "Delete…", "Delete user");
    await eventually(async () => expect(await status("/users/ada")).toBe(404));
  });

  it("adds a virtual host, protects and deletes it", async () => {
    const page = await open("vhosts");
    await page.getByRole("button", { name: "Add virtual host…" }).click();
    await page.getByRole("dialog").getByLabel("Name", { exact: true }).fill("staging");
    await page.getByRole("dialog").getByRole("button", { name: "Add virtual host", exact: true }).click();
    await page.getByRole("link", { name: "staging" }).click();
    await page.getByRole("button", { name: "Trace" }).click();
    await page.getByRole("button", { name: "Stop tracing" }).waitFor();
    await page.getByRole("button", { name: "Protect" }).click();
    await page.getByText("protected from deletion").waitFor();
    expect(await page.getByRole("button", { name: "Delete…" }).isDisabled()).toBe(true);
    await page.getByRole("button", { name: "Lift protection" }).click();
    await page.getByRole("button", { name: "Protect", exact: true }).waitFor();
    const asked = await confirm(page, "Delete…", "Delete virtual host", "staging");
    expect(asked).toContain("Everything in it will be destroyed");
    await eventually(async () => expect(await status("/vhosts/staging")).toBe(404));
  });

  it("sets, edits and deletes a policy", async () => {
    const page = await open("policies");
    await page.getByRole("button", { name: "Add policy…" }).click();
    const dialog = page.getByRole("dialog");
    await dialog.getByLabel("Name", { exact: true }).fill("limit");
    await dialog.getByLabel("Pattern").fill("^target$");
    await dialog.getByRole("button", { name: "+ Max length", exact: true }).click();
    await dialog.getByLabel("Definition: value 1").fill("10");
    await dialog.getByRole("button", { name: "Add policy", exact: true }).click();
    await page.getByRole("button", { name: "Edit…" }).click();
    await dialog.getByLabel("Definition: value 1").fill("20");
    await dialog.getByRole("button", { name: "Save" }).click();
    await eventually(async () =>
      expect(await admin.read("/policies/%2F/limit")).toMatchObject({ definition: { "max-length": 20 } }),
    );
    await page.getByRole("link", { name: "limit", exact: true }).click();
    await page.getByRole("heading", { name: "limit" }).waitFor();
    expect(await confirm(page, "Delete…", "Delete policy")).toContain("No message is deleted by that");
    await eventually(async () => expect(await status("/policies/%2F/limit")).toBe(404));
  });

  it("sets and lifts limits", async () => {
    const page = await open("limits");
    await page.getByText("Set a limit").first().click();
    await page.getByLabel("Value").first().fill("7");
    await page.getByRole("button", { name: "Set limit" }).first().click();
    await page.getByRole("cell", { name: "7" }).waitFor();
    await confirm(page, "Lift…", "Lift limit");
    await eventually(async () => expect(await admin.read("/vhost-limits")).toEqual([]));
  });

  it("exports definitions, imports them, and fetches a backup", async () => {
    const page = await open("definitions");
    const download = page.waitForEvent("download");
    await page.getByRole("button", { name: "Download definitions" }).click();
    const file = await (await download).path();
    await admin.must("DELETE", "/queues/%2F/target");
    await page.getByLabel("File").setInputFiles(file);
    expect(await confirm(page, "Import…", "Import")).toMatch(/The file has 1 user/);
    await page.getByText("Imported.").waitFor();
    expect(await status("/queues/%2F/target")).toBe(200);
    const backup = page.waitForEvent("download");
    await page.getByRole("button", { name: "Download backup" }).click();
    expect((await backup).suggestedFilename()).toBe("tsbroker.db");
  });
});
