import { describe, expect, it } from "vitest";
import { useBroker } from "../support/broker.ts";
import { differs } from "../support/differences.ts";
import { type HandshakeOptions, type Received, WireClient } from "../support/wire-client.ts";
import { plain, Writer } from "../support/wire-codec.ts";

const broker = useBroker();

/** Everything the broker says from here until it closes the socket. */
async function untilClosed(client: WireClient): Promise<Received[]> {
  const frames: Received[] = [];
  for (;;) {
    const frame = await client.next("the end");
    if (frame.type === "closed") return frames;
    frames.push(frame);
    if (frame.type === "method" && frame.name === "connection.close") client.sendMethod(0, "connection.close-ok");
  }
}

/** The one connection.close among the last words, without its channel. */
function closeOf(frames: Received[]): Record<string, unknown> {
  const [frame] = frames;
  return frame?.type === "method" && frame.name === "connection.close" ? frame.fields : {};
}

async function startOk(options: HandshakeOptions): Promise<WireClient> {
  const client = await WireClient.connect(broker);
  client.sendProtocolHeader();
  await client.expect("connection.start");
  client.startOk(options);
  return client;
}

describe("the protocol header", () => {
  it("is answered with connection.start", async () => {
    const client = await WireClient.connect(broker);
    client.sendProtocolHeader();
    const start = await client.expect("connection.start");
    expect(start).toMatchObject({ "version-major": 0, "version-minor": 9, locales: "en_US" });
    expect(String(start["mechanisms"]).split(" ")).toEqual(expect.arrayContaining(["PLAIN", "AMQPLAIN"]));
    const properties = plain(start["server-properties"]);
    expect(Object.keys(properties ?? {})).toEqual([
      "capabilities",
      "cluster_name",
      "copyright",
      "information",
      "platform",
      "product",
      "version",
    ]);
    client.destroy();
  });

  it("of AMQP 0-9 is taken too", async () => {
    const client = await WireClient.connect(broker);
    client.send(Buffer.from("AMQP\x01\x01\x00\x09", "latin1"));
    await client.expect("connection.start");
    client.destroy();
  });

  it("may come byte by byte", async () => {
    const client = await WireClient.connect(broker);
    for (const byte of Buffer.from("AMQP\0\0\x09\x01", "latin1")) client.send(Buffer.from([byte]));
    await client.expect("connection.start");
    client.destroy();
  });

  const strangers: [what: string, bytes: string][] = [
    ["a later AMQP 0", "AMQP\x00\x00\x0a\x01"],
    ["AMQP 1.0", "AMQP\x00\x01\x00\x00"],
    ["HTTP", "GET / HTTP/1.1\r\n\r\n"],
    ["TLS", "\x16\x03\x01\x02\x00\x01\x00\x01"],
    ["noise", "\xff\xff\xff\xff\xff\xff\xff\xff"],
  ];

  it.each(strangers)("of %s is answered with the one the broker speaks, and the end", async (_, bytes) => {
    const client = await WireClient.connect(broker);
    client.send(Buffer.from(bytes, "latin1"));
    const [answer, ...rest] = await untilClosed(client);
    expect(answer).toEqual({ type: "protocol-header", bytes: expect.any(Buffer) });
    expect(rest).toEqual([]);
    client.destroy();
  });

  it("that never comes costs nobody anything", async () => {
    const silent = await WireClient.connect(broker);
    silent.send(Buffer.from("AMQ"));
    silent.destroy();
    await (await WireClient.open(broker)).close();
  });
});

describe("logging in", () => {
  it.each(["PLAIN", "AMQPLAIN"])("works with %s", async (mechanism) => {
    const table = new Writer().table({ LOGIN: "guest", PASSWORD: "guest" }).bytes.subarray(4);
    const client = await startOk({ mechanism, response: mechanism === "PLAIN" ? "\0guest\0guest" : table });
    await client.expect("connection.tune");
    client.destroy();
  });

  it.each(["PLAIN", "AMQPLAIN"])("with a wrong password over %s is refused in words", async (mechanism) => {
    const table = new Writer().table({ LOGIN: "guest", PASSWORD: "wrong" }).bytes.subarray(4);
    const client = await startOk({ mechanism, response: mechanism === "PLAIN" ? "\0guest\0wrong" : table });
    expect(closeOf(await untilClosed(client))).toEqual({
      "reply-code": 403,
      "reply-text": `ACCESS_REFUSED - Login was refused using authentication mechanism ${mechanism}. For details see the broker logfile.`,
      "class-id": 0,
      "method-id": 0,
    });
    client.destroy();
  });

  it("as nobody known is refused in the same words", async () => {
    const client = await startOk({ username: "nobody", password: "x" });
    expect(closeOf(await untilClosed(client))["reply-text"]).toBe(
      "ACCESS_REFUSED - Login was refused using authentication mechanism PLAIN. For details see the broker logfile.",
    );
    client.destroy();
  });

  it("wrongly just ends for a client that does not know of authentication_failure_close", async () => {
    const client = await startOk({ password: "wrong", clientProperties: {} });
    expect(await untilClosed(client)).toEqual([]);
    client.destroy();
  });

  const malformed: [what: string, options: HandshakeOptions, text: RegExp][] = [
    ["a PLAIN response without its parts", { response: "guest" }, /^SYNTAX_ERROR - /],
    ["an empty PLAIN response", { response: "" }, /^SYNTAX_ERROR - /],
    ["an AMQPLAIN response without a password", { mechanism: "AMQPLAIN", response: "" }, /^SYNTAX_ERROR - /],
    ["an unknown mechanism", { mechanism: "NTLM" }, /^COMMAND_INVALID - unknown authentication mechanism 'NTLM'$/],
    ["a mechanism in small letters", { mechanism: "plain" }, /^COMMAND_INVALID - .* authentication mechanism 'plain'$/],
  ];

  // RabbitMQ is silent for three seconds and closes; a word would do no harm, but it must be the right one.
  it.concurrent.each(malformed)("with %s never gets to connection.tune", async (_, options, text) => {
    const client = await startOk(options);
    const frames = await untilClosed(client);
    if (frames.length > 0) expect(closeOf(frames)["reply-text"]).toMatch(text);
    client.destroy();
  });
});

describe("tuning", () => {
  const accepted: HandshakeOptions[] = [
    { frameMax: 4096 },
    { frameMax: 8192 },
    { channelMax: 1 },
    { heartbeat: 1 },
    { heartbeat: 65_535 },
  ];

  it.each(accepted)("takes %o", async (options) => {
    await (await WireClient.open(broker, options)).close();
  });

  const refused: [options: HandshakeOptions, text: string][] = [
    [{ frameMax: 4095 }, "negotiated frame_max = 4095 is lower than the minimum allowed value (4096)"],
    [{ frameMax: 131_073 }, "negotiated frame_max = 131073 is higher than the maximum allowed value (131072)"],
    [{ frameMax: 0 }, "negotiated frame_max = 0 (no limit) is higher than the maximum allowed value (131072)"],
    [{ channelMax: 2048 }, "negotiated channel_max = 2048 is higher than the maximum allowed value (2047)"],
    [{ channelMax: 0 }, "negotiated channel_max = 0 (no limit) is higher than the maximum allowed value (2047)"],
  ];

  it.for(refused)("refuses %o", async ([options, text], context) => {
    differs(context, "tuning");
    const client = await WireClient.connect(broker);
    await client.tune(options);
    expect(closeOf(await untilClosed(client))).toMatchObject({
      "reply-code": 530,
      "reply-text": `NOT_ALLOWED - ${text}`,
    });
    client.destroy();
  });
});

describe("connection.open", () => {
  it.each(["nowhere", ""])("refuses a virtual host '%s' that does not exist", async (vhost) => {
    const client = await WireClient.connect(broker);
    await client.tune();
    client.sendMethod(0, "connection.open", { "virtual-host": vhost });
    expect(closeOf(await untilClosed(client))).toEqual({
      "reply-code": 530,
      "reply-text": `NOT_ALLOWED - vhost ${vhost} not found`,
      "class-id": 10,
      "method-id": 40,
    });
    client.destroy();
  });

  it("before it is due ends the connection", async () => {
    const client = await WireClient.connect(broker);
    client.sendProtocolHeader();
    await client.expect("connection.start");
    client.sendMethod(0, "connection.open", { "virtual-host": "/" });
    for (const frame of await untilClosed(client)) {
      expect(frame).toMatchObject({ type: "method", name: "connection.close" });
    }
    client.destroy();
  });
});

describe("the handshake", () => {
  it("may be sent in one go", async () => {
    const client = await WireClient.connect(broker);
    client.sendProtocolHeader();
    client.startOk();
    client.sendMethod(0, "connection.tune-ok", { "channel-max": 10, "frame-max": 131_072 });
    client.sendMethod(0, "connection.open", { "virtual-host": "/" });
    client.sendMethod(1, "channel.open");
    for (const name of ["connection.start", "connection.tune", "connection.open-ok", "channel.open-ok"]) {
      await client.expect(name);
    }
    await client.close();
  });
});

describe("closing", () => {
  it("answers connection.close and closes the socket, with exclusive queues gone", async () => {
    const client = await WireClient.open(broker);
    await client.openChannel(1);
    const { queue } = await client.call(1, "queue.declare", { exclusive: true });
    client.sendMethod(0, "connection.close", { "reply-code": 200, "reply-text": "bye" });
    await client.expect("connection.close-ok");
    const other = await WireClient.open(broker);
    await other.openChannel(1);
    other.sendMethod(1, "queue.declare", { queue, passive: true });
    expect(await other.expect("channel.close")).toMatchObject({ "reply-code": 404 });
    await other.close();
    client.destroy();
  });
});
