import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { get, type RequestOptions } from "node:https";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { afterAll, beforeAll, expect, it } from "vitest";
import { startBroker, type TestBroker } from "../support/broker.ts";
import { Authority } from "../support/certificates.ts";
import { addUser, asGuest } from "../support/management.ts";
import { freePort } from "../support/ports.ts";

let directory: string;
let authority: Authority;
let port: number;
let broker: TestBroker;

beforeAll(async () => {
  directory = mkdtempSync(join(tmpdir(), "tsbroker-metrics-"));
  authority = new Authority(directory, "ca");
  const { certfile, keyfile } = authority.issue("server", { subject: "/CN=s", alternativeNames: "IP:127.0.0.1" });
  port = await freePort();
  const listener = ["--prometheus-ssl-port", String(port)];
  const files = ["--prometheus-ssl-certfile", certfile, "--prometheus-ssl-keyfile", keyfile];
  const trust = ["--prometheus-ssl-cacertfile", authority.certfile, "--prometheus-ssl-verify", "verify_peer"];
  broker = await startBroker({ args: [...listener, ...files, ...trust, "--prometheus-authentication", "true"] });
  await addUser(broker, "watcher", ["monitoring"]);
  await addUser(broker, "app", ["management"]);
});

afterAll(async () => {
  await broker?.stop();
  if (directory !== undefined) rmSync(directory, { recursive: true, force: true });
});

async function scraped(options: RequestOptions = {}) {
  const request = get(`https://127.0.0.1:${port}/metrics`, { ca: authority.cert, agent: false, ...options });
  const [response] = await once(request, "response");
  const { statusCode, headers } = response;
  return { status: Number(statusCode), challenge: headers["www-authenticate"], body: await text(response) };
}

it("metrics are served over TLS, to who may monitor when a login is asked for", async () => {
  expect(await scraped({ auth: "watcher:watcher-pw" })).toMatchObject({
    status: 200,
    body: expect.stringContaining("rabbitmq_identity_info"),
  });
  expect((await scraped({ auth: "guest:guest" })).status).toBe(200);
});

it.each([
  ["nobody", undefined],
  ["a wrong password", "watcher:wrong"],
  ["a user who may not monitor", "app:app-pw"],
])("%s is turned away", async (_who, auth) => {
  expect(await scraped(auth === undefined ? {} : { auth })).toEqual({
    status: 401,
    challenge: 'Basic realm="RabbitMQ Prometheus"',
    body: "",
  });
});

it("a certificate of another authority is turned away", async () => {
  const { cert, key } = new Authority(directory, "other").issue("stranger", { subject: "/CN=x" });
  await expect(scraped({ auth: "watcher:watcher-pw", cert, key })).rejects.toThrow();
});

it("the listener is shown as RabbitMQ shows it", async () => {
  const { listeners } = Object(await asGuest(broker).read("/overview"));
  expect(listeners).toContainEqual(expect.objectContaining({ protocol: "https/prometheus", port, tls: true }));
});
