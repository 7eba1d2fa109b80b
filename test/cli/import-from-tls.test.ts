import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { connect } from "amqplib";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { startBroker, type TestBroker, useBroker } from "../support/broker.ts";
import { Brokerctl } from "../support/brokerctl.ts";
import { Authority } from "../support/certificates.ts";
import { asGuest } from "../support/management.ts";
import { freePort } from "../support/ports.ts";

const broker = useBroker();
const brokerctl = new Brokerctl(broker, "in process");
let directory: string;
let source: TestBroker;
let from: readonly string[];
let trusted: readonly string[];
let shown: readonly string[];

/** A broker that asks for a certificate wherever it speaks TLS, with one message in a queue. */
beforeAll(async () => {
  directory = mkdtempSync(join(tmpdir(), "tsbroker-import-tls-"));
  const authority = new Authority(directory, "ca");
  const { certfile, keyfile } = authority.issue("server", { subject: "/CN=s", alternativeNames: "IP:127.0.0.1" });
  const own = authority.issue("client", { subject: "/CN=c" });
  const [amqps, https] = [await freePort(), await freePort()];
  const checked = (prefix: string) =>
    `${prefix}.cacertfile = ${authority.certfile}
     ${prefix}.certfile = ${certfile}
     ${prefix}.keyfile = ${keyfile}
     ${prefix}.verify = verify_peer
     ${prefix}.fail_if_no_peer_cert = true`;
  const config = join(directory, "tsbroker.conf");
  writeFileSync(
    config,
    `listeners.ssl.1 = 127.0.0.1:${amqps}
     ${checked("ssl_options")}
     management.ssl.port = ${https}
     ${checked("management.ssl")}\n`,
  );
  source = await startBroker({ args: ["--config", config] });
  from = ["import", "--from", `https://guest:guest@127.0.0.1:${https}`, "--from-amqp", `amqps://127.0.0.1:${amqps}`];
  trusted = ["--from-ssl-ca-cert-file", authority.certfile];
  shown = ["--from-ssl-cert-file", own.certfile, "--from-ssl-key-file", own.keyfile];
});

afterAll(async () => {
  await source?.stop();
  rmSync(directory, { recursive: true, force: true });
});

async function fill(): Promise<void> {
  await asGuest(source).must("PUT", "/queues/%2F/orders", { durable: true });
  const connection = await connect(source.url);
  const channel = await connection.createConfirmChannel();
  channel.sendToQueue("orders", Buffer.from("one"), { persistent: true });
  await channel.waitForConfirms();
  await connection.close();
}

describe("import --from https:", () => {
  it("trusts the authority that is named, and shows the certificate that is asked for", async () => {
    await fill();
    const moved = await brokerctl.json(...from, ...trusted, ...shown);
    expect(moved).toEqual([{ vhost: "/", name: "orders", messages: 1, moved: 1, arrived: 1 }]);
    await fill();
    expect(await brokerctl.json(...from, "--from-ssl-insecure", ...shown)).toMatchObject([{ moved: 1 }]);
  });

  it.each([
    ["of nobody it trusts", () => shown, "no authority known here; --from-ssl-ca-cert-file can name a file with it"],
    ["missing", () => trusted, "it asks for a certificate; --from-ssl-cert-file and --from-ssl-key-file name one"],
  ])("says what to do when a certificate is %s", async (_what, options, stderr) => {
    const outcome = await brokerctl.run([...from, ...options()]);
    expect(outcome).toMatchObject({ exitCode: 69, stderr: expect.stringContaining(stderr) });
    expect(outcome.stderr).not.toContain("--url");
  });

  it("says where AMQP cannot be reached, without the password", async () => {
    const [command = "", option = "", url = ""] = from;
    await fill();
    const elsewhere = ["--from-amqp", `amqps://guest:secret@127.0.0.1:${await freePort()}`];
    expect(await brokerctl.run([command, option, url, ...elsewhere, ...trusted, ...shown])).toMatchObject({
      exitCode: 69,
      stderr: expect.stringMatching(/Cannot connect to amqps:\/\/127\.0\.0\.1:\d+: connection refused/),
    });
  });
});
