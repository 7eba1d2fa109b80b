import { get } from "node:http";
import { gunzipSync } from "node:zlib";
import { beforeAll, describe, expect, it } from "vitest";
import { useAmqpClient } from "../support/amqp-client.ts";
import { useBroker } from "../support/broker.ts";
import { asGuest } from "../support/management.ts";

const broker = useBroker();
const amqp = useAmqpClient(broker);
const admin = asGuest(broker);
const count = 1500;

beforeAll(async () => {
  const queues = Array.from({ length: count }, (_, i) => ({ name: `q${i}`, vhost: "many" }));
  const bindings = queues.map(({ name }) => ({
    source: "amq.direct",
    vhost: "many",
    destination: name,
    destination_type: "queue",
    routing_key: "all",
  }));
  await admin.must("POST", "/definitions", { vhosts: [{ name: "many" }], queues, bindings });
  await admin.must("PUT", "/permissions/many/guest", { configure: ".*", write: ".*", read: ".*" });
});

interface Raw {
  readonly encoding: string | undefined;
  readonly vary: string | undefined;
  readonly body: Buffer;
}

/** An answer as it came, not decompressed. */
function raw(path: string, acceptEncoding?: string): Promise<Raw> {
  return new Promise((resolve, reject) => {
    const headers = {
      authorization: `Basic ${btoa("guest:guest")}`,
      ...(acceptEncoding !== undefined && { "accept-encoding": acceptEncoding }),
    };
    get(`${broker.managementUrl}/api${path}`, { headers }, (response) => {
      const chunks: Buffer[] = [];
      response.on("data", (chunk: Buffer) => chunks.push(chunk));
      response.on("end", () => {
        const { "content-encoding": encoding, vary } = response.headers;
        resolve({ encoding, vary, body: Buffer.concat(chunks) });
      });
    }).on("error", reject);
  });
}

describe("a long list", () => {
  it("finds what has no name by what it is sorted by", async () => {
    const found = Object(await admin.read("/bindings?page=1&name=amq.direct%20queue%20q149"));
    expect(found).toMatchObject({ filtered_count: 11, total_count: 2 * count });
    expect(Object(await admin.read("/permissions?page=1&name=guest&use_regex=true"))).toMatchObject({
      filtered_count: 2,
    });
    expect(Object(await admin.read("/permissions?page=1&name=nobody"))).toMatchObject({ filtered_count: 0 });
  });

  it("is whole and in order", async () => {
    const rows = Array.from(Object(await admin.read("/queues/many?columns=name")), ({ name }) => name);
    expect(rows).toHaveLength(count);
    expect(rows).toEqual([...rows].sort());
    expect(await admin.read("/bindings/many?columns=destination")).toHaveLength(2 * count);
  });

  it("is sorted by what its rows say", async () => {
    const channel = await amqp.channel(await amqp.connect("/many"));
    for (const [name, messages] of [
      ["q7", 3],
      ["q800", 2],
    ] as const) {
      for (let i = 0; i < messages; i++) channel.sendToQueue(name, Buffer.from("x"));
      await channel.checkQueue(name);
    }
    const page = Object(await admin.read("/queues/many?page=1&page_size=2&sort=messages&sort_reverse=true"));
    expect(page.items.map(({ name }: { name: string }) => name)).toEqual(["q7", "q800"]);
  });

  it("is compressed for who wants that, and only then", async () => {
    for (const path of ["/queues/many", "/bindings/many", "/definitions", "/overview"]) {
      const plain = await raw(path);
      expect({ path, ...plain }).toMatchObject({ encoding: undefined, vary: "accept, accept-encoding, origin" });
      expect((await raw(path, "gzip;q=0, br")).encoding).toBe(undefined);
      const zipped = await raw(path, "deflate, gzip;q=0.5");
      expect({ path, encoding: zipped.encoding }).toEqual({ path, encoding: "gzip" });
      expect(Object.keys(JSON.parse(gunzipSync(zipped.body).toString()))).toEqual(
        Object.keys(JSON.parse(plain.body.toString())),
      );
      expect(zipped.body.length).toBeLessThan(plain.body.length);
    }
    expect((await raw("/whoami", "gzip")).encoding).toBe(undefined);
  });

  it("may be left by who asked for it", async () => {
    const abort = new AbortController();
    const headers = { authorization: `Basic ${btoa("guest:guest")}`, "accept-encoding": "gzip" };
    const response = await fetch(`${broker.managementUrl}/api/queues/many`, { headers, signal: abort.signal });
    abort.abort();
    await expect(response.text()).rejects.toThrow();
    expect((await admin.get("/whoami")).status).toBe(200);
    expect(broker.log()).not.toContain('"level":"error"');
  });

  it("answers HEAD without a body", async () => {
    const { status, body } = await admin.request("HEAD", "/queues/many");
    expect({ status, body }).toEqual({ status: 200, body: undefined });
  });
});
