import { type Browser, type BrowserContextOptions, chromium, type Page } from "playwright-core";
import { afterAll, afterEach, beforeAll, expect } from "vitest";
import type { TestBroker } from "../support/broker.ts";

const args = [
  "--no-sandbox",
  "--disable-gpu",
  "--disable-quic",
  "--no-first-run",
  "--disable-background-networking",
  "--disable-component-update",
  "--disable-sync",
];
const timeoutMs = 10_000;

/** A real browser at the management page of a broker. Every test fails whose page had an error or asked another host. */
export class UiBrowser {
  readonly #broker: TestBroker;
  #browser: Browser | undefined;
  readonly #pages: Page[] = [];
  readonly #faults: string[] = [];

  constructor(broker: TestBroker) {
    this.#broker = broker;
  }

  async start(executablePath: string): Promise<void> {
    this.#browser = await chromium.launch({ executablePath, args });
  }

  async stop(): Promise<void> {
    await this.#browser?.close();
  }

  /** A page of a browser that has never been here; `hash` is where on the page, such as `queues`. */
  async open(hash = "", options: BrowserContextOptions = {}): Promise<Page> {
    if (this.#browser === undefined) throw new Error("the browser was not started");
    const context = await this.#browser.newContext(options);
    context.setDefaultTimeout(timeoutMs);
    const page = await context.newPage();
    this.#pages.push(page);
    page.on("pageerror", (error) => this.#faults.push(error.message));
    page.on("console", (message) => {
      // A refusal is no fault of the page; the browser prints it all the same.
      const isRefusal = message.text().startsWith("Failed to load resource");
      if (message.type() === "error" && !isRefusal) this.#faults.push(message.text());
    });
    page.on("request", (request) => {
      if (!/^(blob|data):/.test(request.url()) && !request.url().startsWith(this.#broker.managementUrl)) {
        this.#faults.push(`asked for ${request.url()}`);
      }
    });
    await page.goto(`${this.#broker.managementUrl}/#/${hash}`);
    return page;
  }

  /** The same, logged in. */
  async openAs(name: string, password: string, hash = "", options: BrowserContextOptions = {}): Promise<Page> {
    const page = await this.open(hash, options);
    await page.getByLabel("User name").fill(name);
    await page.getByLabel("Password").fill(password);
    await page.getByRole("button", { name: "Log in" }).click();
    await page.getByRole("button", { name: "Log out" }).waitFor();
    return page;
  }

  /** Closes the pages of a test and fails if anything went wrong on them. */
  async settle(): Promise<void> {
    for (const page of this.#pages.splice(0)) await page.context().close();
    expect(this.#faults.splice(0)).toEqual([]);
  }
}

/** One browser for all tests of a suite. */
export function useUi(broker: TestBroker, executablePath: string): UiBrowser {
  const ui = new UiBrowser(broker);
  beforeAll(() => ui.start(executablePath));
  afterEach(() => ui.settle());
  afterAll(() => ui.stop());
  return ui;
}
