import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, it } from "vitest";
import { needsOwnBroker, useBroker } from "../support/broker.ts";
import { as, asGuest, everything } from "../support/management.ts";

const directory = mkdtempSync(join(tmpdir(), "tsbroker-lost-"));
const file = join(directory, "reset.json");
writeFileSync(file, "{}");
const broker = useBroker({ args: ["--definitions", file] });

afterAll(() => rmSync(directory, { recursive: true }));

it("an administrator whose password is lost gets another by definitions at a start, and all else stays", async (context) => {
  needsOwnBroker(context);
  const lost = asGuest(broker);
  await lost.must("PUT", "/users/app", { password: "app", tags: "" });
  await lost.must("PUT", "/queues/%2F/kept", { durable: true });
  await lost.must("PUT", "/users/guest", { password: "nobody knows it", tags: "administrator" });
  expect((await lost.get("/whoami")).status).toBe(401);

  const rescue = { name: "rescue", password: "another", tags: ["administrator"] };
  const guest = { name: "guest", password: "a new one", tags: ["administrator"] };
  const permissions = [{ user: "rescue", vhost: "/", ...everything }];
  writeFileSync(file, JSON.stringify({ users: [guest, rescue], permissions }));
  await broker.restart();
  const found = as(broker, "guest", "a new one");
  expect(await found.read("/users?columns=name")).toEqual([{ name: "app" }, { name: "guest" }, { name: "rescue" }]);
  expect(await found.read("/permissions/%2F/guest")).toMatchObject(everything);
  expect(await as(broker, "rescue", "another").read("/queues/%2F/kept?columns=name")).toEqual({ name: "kept" });
});
