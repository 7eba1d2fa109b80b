import { describe, expect, it } from "vitest";
import { useBroker } from "../support/broker.ts";
import { asGuest } from "../support/management.ts";
import { eventually } from "../support/wait-for.ts";

const broker = useBroker({ logLevel: "debug" });
const admin = asGuest(broker);
const loaded = /management is loaded/g;

describe("the HTTP API", () => {
  it("is loaded once, before the first request, when the broker has nothing to do", async () => {
    await eventually(() => expect(broker.log()).toMatch(loaded));
    expect(await admin.read("/whoami")).toMatchObject({ name: "guest" });
    expect(broker.log().match(loaded)).toHaveLength(1);
  });
});
