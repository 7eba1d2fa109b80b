import { connect } from "amqplib";
import axe from "axe-core";
import type { Page } from "playwright-core";
import { beforeAll, expect, it } from "vitest";
import { useBroker } from "../support/broker.ts";
import { asGuest } from "../support/management.ts";
import { chromium, describeWith } from "../support/programs.ts";
import { useUi } from "./browser.ts";

const broker = useBroker({ logLevel: "info" });
const admin = asGuest(broker);

/** Every page, with what its heading says. */
const pages: readonly (readonly [hash: string, heading: string | RegExp])[] = [
  ["", "Overview"],
  ["topology", "Topology"],
  ["log", "Live log"],
  ["queues", "Queues"],
  ["queues/%2F/orders", "orders"],
  ["queues/%2F/orders?tab=messages", "orders"],
  ["queues/%2F/orders?tab=publish", "orders"],
  ["exchanges", "Exchanges"],
  ["exchanges/%2F/amq.topic", "amq.topic"],
  ["exchanges/%2F/amq.default", "(default)"],
  ["bindings", "Bindings"],
  ["connections", "Connections"],
  ["connections/CONNECTION", /127\.0\.0\.1/],
  ["channels", "Channels"],
  ["channels/CONNECTION%20(1)", /127\.0\.0\.1/],
  ["consumers", "Consumers"],
  ["vhosts", "Virtual hosts"],
  ["vhosts/%2F", "/"],
  ["users", "Users"],
  ["users/guest", "guest"],
  ["permissions", "Permissions"],
  ["policies", "Policies"],
  ["policies/%2F/limit", "limit"],
  ["limits", "Limits"],
  ["definitions", "Definitions"],
  ["api", "HTTP API"],
];

interface Violation {
  readonly id: string;
  readonly nodes: readonly { readonly html: string; readonly failureSummary?: string }[];
}

const wcag = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa"];

/** What the page has against WCAG 2.1 AA, as far as a program can tell, or against these rules of it. */
async function violations(page: Page, rules: readonly string[]): Promise<string[]> {
  if (rules.length === 0) return [];
  // The pages are one document: what was put into it stays.
  if (!(await page.evaluate(() => "axe" in window))) await page.evaluate(axe.source);
  const found: readonly Violation[] = await page.evaluate(async (runOnly) => {
    const { violations: all } = await Reflect.get(window, "axe").run({ runOnly });
    return all;
  }, rules);
  return found.flatMap(({ id, nodes }) => nodes.map(({ html, failureSummary }) => `${id}: ${html} ${failureSummary}`));
}

describeWith(chromium(), "every page", (command) => {
  const ui = useUi(broker, command);
  let connectionName = "";

  beforeAll(async () => {
    await admin.must("PUT", "/policies/%2F/limit", { pattern: "^orders", definition: { "max-length": 100 } });
    await admin.must("PUT", "/vhost-limits/%2F/max-queues", { value: 100 });
    const connection = await connect(broker.url);
    const channel = await connection.createConfirmChannel();
    await channel.assertQueue("orders", { deadLetterExchange: "amq.fanout" });
    await channel.bindQueue("orders", "amq.topic", "orders.*");
    await channel.prefetch(1);
    await channel.consume("orders", () => {});
    for (let n = 0; n < 3; n++) channel.publish("amq.topic", "orders.new", Buffer.from(JSON.stringify({ n })));
    await channel.waitForConfirms();
    const [row] = Object(await admin.read("/connections"));
    connectionName = encodeURIComponent(row.name);
    return () => connection.close();
  });

  it.each([
    ["light", 1280, wcag],
    ["dark", 1280, wcag],
    ["light", 390, wcag],
    ["dark", 390, ["color-contrast"]],
  ] as const)(
    "is legible in %s at %i pixels, for everyone and without scrolling sideways",
    async (colorScheme, width, rules) => {
      const page = await ui.openAs("guest", "guest", "", { colorScheme, viewport: { width, height: 800 } });
      const faults: string[] = [];
      for (const [hash, heading] of pages) {
        await page.goto(`${broker.managementUrl}/#/${hash.replace("CONNECTION", connectionName)}`);
        await page.getByRole("heading", { name: heading, level: 1 }).waitFor();
        await page.locator('main[aria-busy="false"]').waitFor();
        faults.push(...(await violations(page, rules)).map((fault) => `${hash}: ${fault}`));
        const overflow = await page.evaluate(() => document.documentElement.scrollWidth - innerWidth);
        if (overflow > 0) faults.push(`${hash}: ${overflow} pixels wider than the window`);
        expect(await page.getByRole("alert").count(), hash).toBe(0);
      }
      expect(faults).toEqual([]);
    },
  );

  it("says what is wrong with a link that leads nowhere", async () => {
    const page = await ui.openAs("guest", "guest", "queues/%2F/gone");
    await page.getByRole("alert").getByText("Not found: queue gone in /").waitFor();
    await page.getByRole("alert").getByText("It does not exist, or no longer.").waitFor();
    await page.goto(`${broker.managementUrl}/#/nonsense`);
    await page.getByText("There is no such page.").waitFor();
  });
});
