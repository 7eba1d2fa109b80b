import { once } from "node:events";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { get } from "node:https";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type ConnectionOptions, connect as connectTls } from "node:tls";
import { type ChannelModel, connect, credentials } from "amqplib";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { AmqpClient } from "../support/amqp-client.ts";
import { parity, startBroker, type TestBroker } from "../support/broker.ts";
import { Authority, type CertificatePair } from "../support/certificates.ts";
import { addUser, asGuest } from "../support/management.ts";
import { freePort } from "../support/ports.ts";
import { eventually } from "../support/wait-for.ts";

let directory: string;
let authority: Authority;
let stranger: CertificatePair;
let client: CertificatePair;
let sslPort: number;
let httpsPort: number;
let broker: TestBroker;
let amqp: AmqpClient;

const server = { subject: "/CN=server", alternativeNames: "DNS:localhost,IP:127.0.0.1" };

beforeAll(async () => {
  if (parity) return;
  directory = mkdtempSync(join(tmpdir(), "tsbroker-tls-"));
  authority = new Authority(directory, "ca");
  client = authority.issue("client", {
    subject: "/C=DE/O=Acme, Inc./CN=app",
    alternativeNames: "DNS:a.test,DNS:b.test",
  });
  stranger = new Authority(directory, "other-ca").issue("stranger", { subject: "/CN=app" });
  const { certfile, keyfile } = authority.issue("server", server);
  const shop = authority.issue("shop", { subject: "/CN=shop", alternativeNames: "DNS:*.shop.test" });
  sslPort = await freePort();
  httpsPort = await freePort();
  const config = join(directory, "tsbroker.conf");
  writeFileSync(
    config,
    `listeners.ssl.default = 127.0.0.1:${sslPort}
     ssl_options.cacertfile = ${authority.certfile}
     ssl_options.certfile = ${certfile}
     ssl_options.keyfile = ${keyfile}
     ssl_options.verify = verify_peer
     ssl_options.sni.*\\.shop\\.test.certfile = ${shop.certfile}
     ssl_options.sni.*\\.shop\\.test.keyfile = ${shop.keyfile}
     auth_mechanisms.1 = PLAIN
     auth_mechanisms.2 = EXTERNAL
     management.ssl.port = ${httpsPort}\n`,
  );
  broker = await startBroker({ args: ["--config", config] });
  amqp = new AmqpClient(broker);
});

afterAll(async () => {
  await amqp?.cleanUp();
  await broker?.stop();
  if (directory !== undefined) rmSync(directory, { recursive: true, force: true });
});

async function connected(options: object = {}): Promise<ChannelModel> {
  const url = `amqps://guest:guest@localhost:${sslPort}`;
  return amqp.keep(await connect(url, { ca: [authority.cert], ...options }));
}

/** The subject that the server shows, to a client that goes no further. */
async function shown(port: number, options: ConnectionOptions = {}): Promise<unknown> {
  const socket = connectTls({ port, host: "127.0.0.1", servername: "localhost", ca: authority.cert, ...options });
  await once(socket, "secureConnect");
  const { subject } = socket.getPeerCertificate();
  socket.destroy();
  return subject.CN;
}

async function onlyConnection(): Promise<unknown> {
  const rows = await asGuest(broker).read("/connections");
  return Array.isArray(rows) ? rows.find((row: { ssl?: boolean }) => row.ssl === true) : undefined;
}

describe.skipIf(parity)("AMQP over TLS", () => {
  it("carries messages of all sizes, and the connection says how", async () => {
    const connection = await connected();
    const channel = await amqp.confirmChannel(connection);
    const queue = await amqp.queue(channel);
    const bodies = [1, 1000, 100_000, 3_000_000].map((size) => Buffer.alloc(size, size % 251));
    for (const body of bodies) channel.sendToQueue(queue, body);
    await channel.waitForConfirms();
    for (const body of bodies) {
      const message = await channel.get(queue, { noAck: true });
      expect(message !== false && message.content.equals(body)).toBe(true);
    }
    expect(await onlyConnection()).toMatchObject({
      ssl: true,
      ssl_protocol: "tlsv1.3",
      ssl_cipher: "aes_256_gcm",
      ssl_hash: "aead",
      ssl_key_exchange: "any",
      peer_cert_subject: null,
    });
    await connection.close();
  });

  it("speaks TLS 1.2, and nothing older", async () => {
    const connection = await connected({ maxVersion: "TLSv1.2" });
    expect(await onlyConnection()).toMatchObject({ ssl_protocol: "tlsv1.2" });
    await connection.close();
    const old = { minVersion: "TLSv1", maxVersion: "TLSv1.1", ciphers: "DEFAULT@SECLEVEL=0" };
    await expect(connected(old)).rejects.toThrow(/alert protocol version/);
    await eventually(() => expect(broker.log()).toContain("TLS handshake failed"));
  });

  it("refuses a certificate of somebody else's authority", async () => {
    await expect(connected({ cert: stranger.cert, key: stranger.key })).rejects.toThrow();
    await eventually(() => expect(broker.log()).toContain("UNABLE_TO_VERIFY_LEAF_SIGNATURE"));
  });

  it("logs in by the name in a certificate, if there is such a user", async () => {
    const external = { cert: client.cert, key: client.key, credentials: credentials.external() };
    await expect(connected(external)).rejects.toThrow(/ACCESS_REFUSED|403/);
    await addUser(broker, encodeURIComponent("CN=app,O=Acme\\, Inc.,C=DE"), [], "/");
    const connection = await connected(external);
    expect(await onlyConnection()).toMatchObject({
      user: "CN=app,O=Acme\\, Inc.,C=DE",
      auth_mechanism: "EXTERNAL",
      peer_cert_subject: "CN=app,O=Acme\\, Inc.,C=DE",
      peer_cert_issuer: "CN=ca",
      peer_cert_validity: expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ - \d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/),
    });
    await connection.close();
    await expect(connected({ credentials: credentials.external() })).rejects.toThrow(/ACCESS_REFUSED|403/);
  });

  it("does not offer EXTERNAL where there is no TLS", async () => {
    const plain = connect(broker.url, { credentials: credentials.external() });
    await expect(plain).rejects.toThrow(/not provided by the server/);
  });

  it("shows the certificate of the host that is asked for", async () => {
    expect(await shown(sslPort)).toBe("server");
    expect(await shown(sslPort, { servername: "a.shop.test" })).toBe("shop");
  });

  it("a client that says nothing is let go", async () => {
    const slow = await startBroker({
      args: [
        ...["--ssl-port", String(await freePort())],
        ...["--ssl-certfile", join(directory, "server.pem"), "--ssl-keyfile", join(directory, "server.key")],
        "--ssl-handshake-timeout-ms",
        "50",
      ],
    });
    try {
      const { connect: connectTcp } = await import("node:net");
      const rows = await asGuest(slow).read("/overview");
      const listeners = (rows as { listeners: { protocol: string; port: number }[] }).listeners;
      const port = listeners.find(({ protocol }) => protocol === "amqp/ssl")?.port ?? 0;
      const socket = connectTcp(port, "127.0.0.1");
      await once(socket, "close");
    } finally {
      await slow.stop();
    }
  });
});

describe.skipIf(parity)("the HTTP API over TLS", () => {
  it("answers", async () => {
    const request = get({
      port: httpsPort,
      host: "localhost",
      path: "/api/overview",
      auth: "guest:guest",
      ca: authority.cert,
    });
    const [response] = await once(request, "response");
    response.resume();
    expect(response.statusCode).toBe(200);
  });

  it("tells when a certificate expires", async () => {
    const api = asGuest(broker);
    expect((await api.get("/health/checks/certificate-expiration/1/days")).status).toBe(200);
    expect(await api.get("/health/checks/certificate-expiration/1/weeks")).toMatchObject({
      status: 503,
      body: { status: "failed", reason: "Certificates expiring" },
    });
  });
});

describe.skipIf(parity)("SIGHUP", () => {
  it("takes in new certificates for new connections, and keeps those that are open", async () => {
    const connection = await connected();
    authority.issue("server", { ...server, subject: "/CN=renewed" });
    process.kill(broker.pid, "SIGHUP");
    await eventually(async () => expect(await shown(sslPort)).toBe("renewed"));
    expect(await shown(httpsPort)).toBe("renewed");
    await connection.createChannel();
    await connection.close();
  });

  it("keeps the certificates that are there when the new ones cannot be used", async () => {
    writeFileSync(join(directory, "server.key"), "no key");
    process.kill(broker.pid, "SIGHUP");
    await eventually(() => expect(broker.log()).toContain("configuration and certificates stay as they were"));
    expect(await shown(sslPort)).toBe("renewed");
  });
});
