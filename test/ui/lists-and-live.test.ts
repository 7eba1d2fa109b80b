import { beforeAll, expect, it } from "vitest";
import { useAmqpClient } from "../support/amqp-client.ts";
import { useBroker } from "../support/broker.ts";
import { asGuest } from "../support/management.ts";
import { chromium, describeWith } from "../support/programs.ts";
import { eventually } from "../support/wait-for.ts";
import { useUi } from "./browser.ts";

const broker = useBroker({ logLevel: "info" });
const amqp = useAmqpClient(broker);
const admin = asGuest(broker);
const queueCount = 10_000;

describeWith(chromium(), "the management page", (command) => {
  const ui = useUi(broker, command);

  beforeAll(async () => {
    const queues = Array.from({ length: queueCount }, (_, n) => ({
      name: `q-${String(n).padStart(5, "0")}`,
      vhost: "/",
      durable: true,
      auto_delete: false,
      arguments: {},
    }));
    await admin.must("POST", "/definitions", { queues });
  });

  it("scrolls through ten thousand queues without holding them", async () => {
    const page = await ui.openAs("guest", "guest", "queues");
    const answers: number[] = [];
    page.on("response", (response) => answers.push(response.status()));
    await page.getByText("10,000 queues").waitFor();
    await page.getByRole("link", { name: "q-00000" }).waitFor();
    const table = page.locator(".scroller");
    await table.evaluate((element) => element.scrollTo(0, element.scrollHeight));
    await page.getByRole("link", { name: "q-09999" }).waitFor();
    await table.evaluate((element) => element.scrollTo(0, element.scrollHeight / 2));
    await page.getByRole("link", { name: /^q-05/ }).first().waitFor();
    expect(await page.getByRole("row").count()).toBeLessThan(150);
    expect(answers.every((status) => status === 200)).toBe(true);
  });

  it("sorts and filters by the API, and keeps that in the URL and for the next time", async () => {
    const channel = await amqp.confirmChannel();
    for (let n = 0; n < 3; n++) channel.sendToQueue("q-07777", Buffer.from("x"), { persistent: true });
    await channel.waitForConfirms();
    const page = await ui.openAs("guest", "guest", "queues");
    await page.getByRole("button", { name: "Total" }).click();
    const first = page.getByRole("row").nth(1);
    await first.getByRole("link", { name: "q-07777" }).waitFor();
    expect(page.url()).toContain("queues.sort=messages");
    await page.getByText("Columns").click();
    await page.getByLabel("Bytes").check();
    await page.getByRole("columnheader", { name: "Bytes" }).waitFor();
    const link = page.url();
    await page.keyboard.press("Escape");
    await page.getByRole("searchbox").fill("q-0123");
    await page.getByText("10 queues").waitFor();
    await page.getByLabel("Regex").check();
    await page.getByRole("searchbox").fill("^q-00(1|2)00$");
    await page.getByText("2 queues").waitFor();
    await page.getByRole("searchbox").fill("(");
    await page.getByRole("alert").waitFor();
    await page.goto(`${broker.managementUrl}/#/queues`);
    await page.reload();
    await page.getByRole("columnheader", { name: "Bytes" }).waitFor();
    expect(await page.getByRole("columnheader", { name: "Total" }).getAttribute("aria-sort")).toBe("descending");
    const other = await ui.openAs("guest", "guest", link.split("#/")[1]);
    await other.getByRole("columnheader", { name: "Bytes" }).waitFor();
    await other.getByRole("row").nth(1).getByRole("link", { name: "q-07777" }).waitFor();
  });

  it("shows what changes without being asked, over one connection", async () => {
    const page = await ui.openAs("guest", "guest", "queues/%2F/q-00042");
    const asked: string[] = [];
    await page.getByRole("tab", { name: "Messages 0" }).waitFor();
    await page.locator('main[aria-busy="false"]').waitFor();
    page.on("request", (request) => asked.push(request.url()));
    const channel = await amqp.confirmChannel();
    channel.sendToQueue("q-00042", Buffer.from("x"));
    await channel.waitForConfirms();
    await page.getByRole("tab", { name: "Messages 1" }).waitFor();
    expect(asked).toEqual([]);
  });

  it("draws the topology and lights up the way of a message", async () => {
    const channel = await amqp.channel();
    await channel.assertExchange("drawn", "topic");
    await channel.bindQueue("q-00001", "drawn", "a.*");
    await channel.bindQueue("q-00002", "drawn", "b.*");
    await channel.consume("q-00001", () => {});
    const page = await ui.openAs("guest", "guest", "topology?focus=drawn");
    const node = (name: string) => page.locator(".node", { hasText: name });
    for (const name of ["drawn", "q-00001", "q-00002", "1 consumer"]) await node(name).waitFor();
    expect(await page.locator(".edge").count()).toBe(3);
    await page.getByLabel("Exchange", { exact: true }).selectOption("drawn");
    await page.getByLabel("Routing key").fill("a.x");
    await page.getByRole("button", { name: "Find out" }).click();
    await page.locator(".node.lit", { hasText: "q-00001" }).waitFor();
    expect(await page.locator(".node.lit", { hasText: "q-00002" }).count()).toBe(0);
  });

  it("shows the log as it is written", async () => {
    const page = await ui.openAs("guest", "guest", "log");
    await page.getByText("lines, the newest first").waitFor();
    await amqp.connect();
    await page.locator(".log").getByText("connection open").first().waitFor();
    await page.getByLabel("Filter the log").fill("nothing like this");
    await page.getByText("Nothing has been logged that fits.").waitFor();
  });

  it("goes by keys, and keeps the theme", async () => {
    const page = await ui.openAs("guest", "guest");
    await page.keyboard.press("?");
    await page.getByRole("dialog", { name: "Keyboard shortcuts" }).waitFor();
    await page.keyboard.press("Escape");
    await page.keyboard.press("g");
    await page.keyboard.press("q");
    await page.getByRole("heading", { name: "Queues" }).waitFor();
    await page.keyboard.press("/");
    await page.keyboard.type("q-00100");
    await page.getByText("1 queue", { exact: true }).waitFor();
    const background = () => page.evaluate(() => getComputedStyle(document.documentElement).backgroundColor);
    const light = await background();
    await page.getByLabel("Theme").selectOption("dark");
    expect(await background()).not.toBe(light);
    const dark = await background();
    await page.reload();
    await page.getByRole("heading", { name: "Queues" }).waitFor();
    expect(await background()).toBe(dark);
  });

  it("says when the broker no longer answers, and goes on when it does", async () => {
    const page = await ui.openAs("guest", "guest", "queues/%2F/q-00099");
    await page.getByRole("status").getByText("Live").waitFor();
    await broker.shutdown();
    await page.getByText("No answer, trying again").waitFor();
    expect(await page.getByRole("heading", { name: "q-00099" }).isVisible()).toBe(true);
    await broker.restart();
    await eventually(() => page.getByRole("status").getByText("Live").waitFor({ timeout: 1000 }));
  });
});
