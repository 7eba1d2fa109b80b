import { request } from "node:http";
import { beforeEach, describe, expect, it } from "vitest";
import { needsOwnBroker, useBroker } from "../support/broker.ts";
import { asGuest } from "../support/management.ts";

const friend = "https://friend.test";
const broker = useBroker({ args: ["--management-cors-origins", friend] });

beforeEach(needsOwnBroker);

interface Answered {
  readonly status: number | undefined;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
}

/** As a browser does it that has the user's credentials; fetch would not send some of the headers. */
function send(method: string, path: string, headers: Record<string, string>, auth = "guest:guest"): Promise<Answered> {
  return new Promise((resolve, reject) => {
    const sent = request(`${broker.managementUrl}/api${path}`, { method, headers, auth }, (response) => {
      response.resume();
      resolve({ status: response.statusCode, headers: response.headers });
    });
    sent.once("error", reject);
    sent.end();
  });
}

const put = "/queues/%2F/made-by-a-browser";

async function made(headers: Record<string, string>): Promise<boolean> {
  const { status } = await send("PUT", put, headers);
  const { status: found } = await asGuest(broker).get(put);
  expect([status, found]).toEqual(found === 200 ? [201, 200] : [403, 404]);
  if (found === 200) await asGuest(broker).must("DELETE", put);
  return found === 200;
}

describe("what another site makes a browser send", () => {
  it.each([
    [{ origin: "https://evil.test" }],
    [{ origin: "null" }],
    [{ origin: "https://evil.test", "sec-fetch-site": "cross-site" }],
    [{ "sec-fetch-site": "same-site" }],
    [{ "sec-fetch-site": "cross-site" }],
    [{ origin: "https://friend.test.evil.test", "sec-fetch-site": "cross-site" }],
  ])("changes nothing: %j", async (headers) => {
    expect(await made(headers)).toBe(false);
  });

  it("is refused before it is asked who sends it, on every route", async () => {
    const headers = { origin: "https://evil.test", "content-type": "text/plain" };
    expect((await send("POST", "/login", headers)).status).toBe(403);
    expect((await send("DELETE", "/nowhere", headers, "no:body")).status).toBe(403);
  });
});

describe("what our own pages, programs and those that are allowed send", () => {
  it.each([
    [{}],
    [{ origin: "self" }],
    [{ origin: "self", "sec-fetch-site": "same-origin" }],
    [{ "sec-fetch-site": "none" }],
    [{ origin: friend, "sec-fetch-site": "cross-site" }],
  ])("is done: %j", async (headers) => {
    const { origin, ...others } = headers as Record<string, string>;
    expect(await made(origin === "self" ? { ...others, origin: broker.managementUrl } : headers)).toBe(true);
  });
});

describe("answers", () => {
  it("carry what keeps browsers from doing more than they should, refusals too", async () => {
    for (const path of ["/overview", "/nowhere", "/%"]) {
      const { headers } = await send("GET", path, {});
      expect(headers).toMatchObject({
        "content-security-policy": expect.stringMatching(/default-src 'self'.*frame-ancestors 'none'/),
        "x-content-type-options": "nosniff",
        "x-frame-options": "DENY",
        "referrer-policy": "no-referrer",
      });
      expect(headers).not.toHaveProperty("strict-transport-security");
    }
  });

  it("may be read by pages from where that is allowed, and from nowhere else", async () => {
    expect((await send("GET", "/overview", { origin: friend })).headers).toMatchObject({
      "access-control-allow-origin": friend,
      "access-control-allow-credentials": "true",
    });
    const { headers } = await send("GET", "/overview", { origin: "https://evil.test" });
    expect(Object.keys(headers).filter((name) => name.startsWith("access-control"))).toEqual([]);
  });

  it("to a preflight say what may be sent", async () => {
    const headers = { origin: friend, "access-control-request-headers": "authorization" };
    expect(await send("OPTIONS", "/overview", headers)).toMatchObject({
      status: 200,
      headers: {
        "access-control-allow-origin": friend,
        "access-control-allow-methods": expect.stringContaining("GET"),
        "access-control-allow-headers": "authorization",
        "access-control-max-age": "1800",
      },
    });
  });
});
