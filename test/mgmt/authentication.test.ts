import { request } from "node:http";
import { describe, expect, it } from "vitest";
import { useBroker } from "../support/broker.ts";
import { addUser, as, asGuest, ManagementClient, notAuthorised, notFound } from "../support/management.ts";

const broker = useBroker();
const challenge = 'Basic realm="RabbitMQ Management"';

async function refusal(client: ManagementClient) {
  const { status, headers, body } = await client.get("/whoami");
  return { status, challenge: headers.get("www-authenticate"), body };
}

describe("the HTTP API", () => {
  it("tells who asks", async () => {
    const { status, headers, body } = await asGuest(broker).get("/whoami");
    expect({ status, body }).toEqual({
      status: 200,
      body: { name: "guest", tags: ["administrator"], is_internal_user: true },
    });
    expect(headers.get("content-type")).toMatch(/^application\/json/);
    expect(headers.get("cache-control")).toBe("no-cache");
  });

  it("asks those without credentials for them, without a word", async () => {
    const asked = { status: 401, challenge, body: undefined };
    expect(await refusal(new ManagementClient(broker, undefined))).toEqual(asked);
    for (const header of ["", "Basic", "Basic !", "Bearer abc", `Basic ${btoa("no colon")}`]) {
      expect(await refusal(new ManagementClient(broker, header))).toEqual(asked);
    }
  });

  it("refuses wrong credentials, whoever's they are", async () => {
    const refused = { status: 401, challenge, body: { error: "not_authorized", reason: "Login failed" } };
    expect(await refusal(as(broker, "guest", "wrong"))).toEqual(refused);
    expect(await refusal(as(broker, "guest", ""))).toEqual(refused);
    expect(await refusal(as(broker, "nobody", "guest"))).toEqual(refused);
  });

  it("takes passwords with colons and beyond ASCII", async () => {
    await asGuest(broker).must("PUT", "/users/colon", { password: "a:b:ü", tags: "management" });
    expect((await as(broker, "colon", "a:b:ü").get("/whoami")).status).toBe(200);
  });

  it("is closed to users without a tag of management", async () => {
    const client = await addUser(broker, "untagged", ["impersonator", "other"]);
    expect(await refusal(client)).toEqual({
      status: 401,
      challenge: null,
      body: notAuthorised("Not management user"),
    });
  });

  it("is open to anyone where it says how to log in", async () => {
    expect((await new ManagementClient(broker, undefined).get("/auth")).status).toBe(200);
  });

  it("answers a path whose escapes are none as anything that makes no sense", async () => {
    for (const path of ["/queues/%zz", "/queues/%2", "/queues/%2F/%C3%28", "/nowhere/%"]) {
      const { status, body } = await asGuest(broker).get(path);
      expect({ path, status, body }).toEqual({
        path,
        status: 400,
        body: { error: "bad_request", reason: `'/api${path}' is not a valid url component` },
      });
    }
  });

  it("has nothing for who takes no JSON", async () => {
    for (const [accept, status] of [
      ["text/html", 406],
      ["text/html, application/xml;q=0.9", 406],
      ["text/html,application/xhtml+xml,*/*;q=0.8", 200],
      ["application/json", 200],
      ["application/*;q=0.5", 200],
    ] as const) {
      const answer = await asGuest(broker).request("GET", "/overview", { headers: { accept } });
      expect([accept, answer.status]).toEqual([accept, status]);
    }
    const stranger = new ManagementClient(broker, undefined);
    expect((await stranger.request("GET", "/overview", { headers: { accept: "text/html" } })).status).toBe(401);
  });

  it("says of a path which methods it has", async () => {
    const stranger = new ManagementClient(broker, undefined);
    const options = await stranger.request("OPTIONS", "/users/guest");
    expect([options.status, options.headers.get("allow")]).toEqual([200, "HEAD, GET, PUT, DELETE, OPTIONS"]);
    const patch = await asGuest(broker).request("PATCH", "/users/guest");
    expect([patch.status, patch.headers.get("allow")]).toEqual([405, "HEAD, GET, PUT, DELETE, OPTIONS"]);
    const head = await asGuest(broker).request("HEAD", "/users/guest");
    expect([head.status, head.body]).toEqual([200, undefined]);
  });

  it("does not mind a slash at the end of a path", async () => {
    expect((await asGuest(broker).get("/whoami/")).status).toBe(200);
  });

  it("knows no other paths", async () => {
    const { status, body } = await asGuest(broker).get("/nope");
    expect({ status, body }).toEqual({ status: 404, body: notFound });
  });

  it("refuses bodies beyond ten megabytes before they come", async () => {
    const { status, body } = await announce("/users/large", 10_000_001);
    expect(status).toBe(400);
    expect(JSON.parse(body)).toEqual({ error: "bad_request", reason: "Exceeded HTTP request body size limit" });
  });
});

/** Says that a body of this size will come, and waits for the answer instead of sending it. */
function announce(path: string, size: number): Promise<{ status: number | undefined; body: string }> {
  const headers = { authorization: `Basic ${btoa("guest:guest")}`, "content-length": size };
  return new Promise((resolve, reject) => {
    const sent = request(`${broker.managementUrl}/api${path}`, { method: "PUT", headers }, async (response) => {
      resolve({ status: response.statusCode, body: Buffer.concat(await response.toArray()).toString() });
      sent.destroy();
    });
    sent.on("error", reject);
    sent.flushHeaders();
  });
}
