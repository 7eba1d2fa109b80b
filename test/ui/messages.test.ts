import { beforeEach, expect, it } from "vitest";
import { useAmqpClient } from "../support/amqp-client.ts";
import { useBroker } from "../support/broker.ts";
import { asGuest } from "../support/management.ts";
import { chromium, describeWith } from "../support/programs.ts";
import { eventually } from "../support/wait-for.ts";
import { useUi } from "./browser.ts";

const broker = useBroker();
const amqp = useAmqpClient(broker);
const admin = asGuest(broker);

async function countIn(queue: string): Promise<number> {
  return Object(await admin.read(`/queues/%2F/${queue}?disable_stats=true&enable_queue_totals=true`)).messages;
}

describeWith(chromium(), "the message browser", (command) => {
  const ui = useUi(broker, command);

  beforeEach(async () => {
    for (const name of ["box", "other", "work"]) await admin.request("DELETE", `/queues/%2F/${name}`);
    const channel = await amqp.confirmChannel();
    for (const name of ["box", "other"]) await channel.assertQueue(name);
    await channel.assertQueue("work", { deadLetterExchange: "", deadLetterRoutingKey: "box" });
    const send = (body: Buffer, tenant: string, type: string) =>
      channel.sendToQueue("box", body, { persistent: true, headers: { tenant }, type });
    send(Buffer.from(JSON.stringify({ order: 1, items: [{ sku: "A" }] })), "acme", "order");
    send(Buffer.from("plain text"), "globex", "note");
    send(Buffer.from([0, 1, 254, 255]), "acme", "binary");
    await channel.waitForConfirms();
  });

  it("shows JSON, text and bytes, and leaves the queue as it is", async () => {
    const page = await ui.openAs("guest", "guest", "queues/%2F/box?tab=messages");
    const lines = page.locator(".message-line");
    await lines.nth(2).waitFor();
    await lines.first().click();
    await page.getByText('"sku": "A"').waitFor();
    await page.getByRole("button", { name: "Text", exact: true }).click();
    await page.locator("pre", { hasText: '{"order":1,"items":[{"sku":"A"}]}' }).waitFor();
    await lines.nth(2).click();
    await page.getByText("00000000  00 01 fe ff").waitFor();
    const channel = await amqp.channel();
    const first = await channel.get("box");
    expect(first).toMatchObject({ fields: { redelivered: false, messageCount: 2 } });
  });

  it("finds by header, property and body, and deletes what it found", async () => {
    const page = await ui.openAs("guest", "guest", "queues/%2F/box?tab=messages");
    const lines = page.locator(".message-line");
    const find = async (label: string, value: string, count: number): Promise<void> => {
      await page.getByLabel(label).fill(value);
      await page.getByRole("button", { name: "Find", exact: true }).click();
      await eventually(async () => expect(await lines.count()).toBe(count));
      await page.getByLabel(label).fill("");
    };
    await find("Header", "tenant=acme", 2);
    await find("Property", "type=note", 1);
    await find("Body contains", "nowhere in it", 0);
    await page.getByText("No message fits.").waitFor();
    await find("Header", "tenant=acme", 2);
    await page.getByRole("button", { name: "Delete all that fit…" }).click();
    const dialog = page.getByRole("dialog");
    await dialog.getByRole("textbox").fill("box");
    await dialog.getByRole("button", { name: "Delete messages" }).click();
    await page.getByText("Deleted 2 messages.").waitFor();
    expect(await countIn("box")).toBe(1);
  });

  it("deletes and moves one message", async () => {
    const page = await ui.openAs("guest", "guest", "queues/%2F/box?tab=messages");
    const lines = page.locator(".message-line");
    await lines.first().click();
    await page.locator(".message").getByRole("button", { name: "Delete…" }).click();
    await page.getByRole("dialog").getByRole("button", { name: "Delete message" }).click();
    await eventually(async () => expect(await lines.count()).toBe(2));
    await lines.first().click();
    await page.getByRole("button", { name: "Move…" }).click();
    await page.getByLabel("To queue").fill("other");
    await page.getByRole("dialog").getByRole("button", { name: "Move" }).click();
    await page.getByText("Moved 1 message.").waitFor();
    expect([await countIn("box"), await countIn("other")]).toEqual([1, 1]);
  });

  it("replays dead letters to where they came from, after a dry run", async () => {
    const channel = await amqp.confirmChannel();
    channel.sendToQueue("work", Buffer.from("failed"), { persistent: true });
    await channel.waitForConfirms();
    const message = await channel.get("work");
    if (message === false) throw new Error("no message");
    channel.nack(message, false, false);
    await eventually(async () => expect(await countIn("box")).toBe(4));
    const page = await ui.openAs("guest", "guest", "queues/%2F/box?tab=messages");
    await page.getByRole("button", { name: "Replay dead letters…" }).click();
    const dialog = page.getByRole("dialog");
    await dialog.getByRole("button", { name: "Dry run" }).click();
    await dialog.getByRole("row", { name: "work rejected 1" }).waitFor();
    await dialog.getByText("3 messages are no dead letters, and stay.").waitFor();
    expect(await countIn("work")).toBe(0);
    await dialog.getByRole("button", { name: "Replay 1 message" }).click();
    await page.getByText("Moved 1 message.").waitFor();
    expect([await countIn("box"), await countIn("work")]).toEqual([3, 1]);
  });

  it("says why something was refused", async () => {
    const page = await ui.openAs("guest", "guest", "queues/%2F/box?tab=messages");
    await page.locator(".message-line").first().click();
    await page.getByRole("button", { name: "Move…" }).click();
    await page.getByLabel("Through exchange").fill("no-such-exchange");
    await page.getByRole("dialog").getByRole("button", { name: "Move" }).click();
    await page.getByRole("alert").getByText("exchange_not_found").waitFor();
    expect(await page.getByLabel("Through exchange").inputValue()).toBe("no-such-exchange");
  });
});
