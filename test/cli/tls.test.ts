import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { startBroker, type TestBroker } from "../support/broker.ts";
import { runInProcess } from "../support/brokerctl.ts";
import { Authority, type CertificatePair } from "../support/certificates.ts";
import { freePort } from "../support/ports.ts";

let directory: string;
let authority: Authority;
let own: CertificatePair;
let broker: TestBroker;
let port: string;

beforeAll(async () => {
  directory = mkdtempSync(join(tmpdir(), "tsbroker-cli-tls-"));
  authority = new Authority(directory, "ca");
  own = authority.issue("client", { subject: "/CN=app" });
  const { certfile, keyfile } = authority.issue("server", { subject: "/CN=server", alternativeNames: "IP:127.0.0.1" });
  port = String(await freePort());
  const config = join(directory, "tsbroker.conf");
  writeFileSync(
    config,
    `management.ssl.port = ${port}
     management.ssl.certfile = ${certfile}
     management.ssl.keyfile = ${keyfile}
     management.ssl.cacertfile = ${authority.certfile}
     management.ssl.verify = verify_peer
     management.ssl.fail_if_no_peer_cert = true\n`,
  );
  broker = await startBroker({ args: ["--config", config] });
});

afterAll(async () => {
  await broker?.stop();
  rmSync(directory, { recursive: true });
});

function listUsers(...options: readonly string[]) {
  return runInProcess(["-s", "list_users", ...options]);
}

const users = { exitCode: 0, stdout: "guest\t[administrator]\n", stderr: "" };

describe("over TLS", () => {
  it("trusts the authority that is named, and shows the certificate that is asked for", async () => {
    const shown = ["--ssl-cert-file", own.certfile, "--ssl-key-file", own.keyfile];
    const trusted = ["--ssl-ca-cert-file", authority.certfile, ...shown];
    expect(await listUsers("--ssl", "--port", port, ...trusted)).toEqual(users);
    expect(await listUsers("--url", `https://127.0.0.1:${port}`, ...trusted)).toEqual(users);
    expect(await listUsers("--ssl", "-P", port, "-k", ...shown)).toEqual(users);
  });

  it("says what to do when the certificate is of nobody it trusts", async () => {
    expect(await listUsers("--ssl", "--port", port)).toMatchObject({
      exitCode: 69,
      stderr: expect.stringContaining("of no authority known here; --ssl-ca-cert-file can name a file with it"),
    });
  });

  it("says what to do when the certificate is of another host", async () => {
    const outcome = await listUsers("--ssl", "-H", "localhost", "-P", port, "--ssl-ca-cert-file", authority.certfile);
    expect(outcome).toMatchObject({
      exitCode: 69,
      stderr: expect.stringContaining("its certificate is not of this host"),
    });
  });

  it("says what to do when it is to show one of its own", async () => {
    expect(await listUsers("--ssl", "-P", port, "--ssl-ca-cert-file", authority.certfile)).toMatchObject({
      exitCode: 69,
      stderr: expect.stringContaining("it asks for a certificate; --ssl-cert-file and --ssl-key-file name one"),
    });
  });

  it("says what to do when only https: is spoken", async () => {
    expect(await listUsers("--port", port)).toMatchObject({
      exitCode: 69,
      stderr: expect.stringContaining("--ssl"),
    });
  });

  it("names a file that cannot be read, or used", async () => {
    expect(await listUsers("--ssl", "--ssl-ca-cert-file", "/nonexistent")).toMatchObject({
      exitCode: 65,
      stderr: expect.stringContaining("/nonexistent"),
    });
    const empty = join(directory, "empty.pem");
    writeFileSync(empty, "no certificate");
    const outcome = await listUsers("--ssl", "-P", port, "--ssl-cert-file", empty, "--ssl-key-file", empty);
    expect(outcome).toMatchObject({ exitCode: 65, stderr: expect.stringContaining("--ssl-cert-file") });
  });
});

it.each(["localhost:15672", "ftp://localhost", "http//x"])("an address that is none is refused: %s", async (url) => {
  expect(await listUsers("--url", url)).toMatchObject({
    exitCode: 64,
    stderr: expect.stringContaining("is no address of the HTTP API; it looks like http://127.0.0.1:15672"),
  });
});
