import { describe, expect, it } from "vitest";
import { Alarms } from "../../src/alarms.ts";
import { bytesOf, parseAmount, parseLimit } from "../../src/resource-limits.ts";
import { ResourceMonitor } from "../../src/resource-monitor.ts";

describe("an amount of bytes", () => {
  it.each([
    ["1000", 1000],
    ["500MB", 500_000_000],
    ["1G", 1_073_741_824],
    ["2GiB", 2_147_483_648],
    ["1 kB", 1000],
    ["1Ki", 1024],
    ["1Q", undefined],
    ["-1", undefined],
    ["", undefined],
    ["1.5GB", undefined],
  ])("'%s' is %s", (text, bytes) => {
    expect(parseAmount(text)).toBe(bytes);
  });
});

describe("a limit", () => {
  it("is a part of the memory or a size", () => {
    expect(parseLimit("0.4")).toEqual({ relative: 0.4 });
    expect(parseLimit("2GB")).toEqual({ absolute: 2e9 });
    expect(bytesOf({ relative: 0.5 }, 1001)).toBe(500);
    expect(bytesOf({ absolute: 7 }, 1001)).toBe(7);
  });
});

describe("the monitor", () => {
  it("collects garbage before it says that memory is short, and not at every look", async () => {
    const alarms = new Alarms();
    let used = 500;
    let collected = 0;
    const readings = {
      memoryUsed: () => used,
      diskFree: async () => 100,
      collectGarbage: () => {
        collected++;
        used -= 450;
      },
    };
    const limits = { memoryHighWatermark: { absolute: 100 }, diskFreeLimit: { absolute: 50 } };
    const config = { ...limits, totalMemory: 1000, monitorIntervalMs: 1000 };
    const monitor = new ResourceMonitor(config, alarms, readings);
    await monitor.check();
    expect([alarms.active, collected]).toEqual([false, 1]);
    used = 500;
    await monitor.check();
    expect([alarms.reason, collected]).toEqual(["low on memory", 1]);
    for (let i = 0; i < 4; i++) await monitor.check();
    expect([alarms.active, collected]).toEqual([false, 2]);
  });
});

describe("an alarm", () => {
  it("is set while there is any cause for it", () => {
    const alarms = new Alarms();
    alarms.put("low on disk", "limit", true);
    alarms.put("low on disk", "store", true);
    alarms.put("low on disk", "limit", false);
    expect(alarms.reason).toBe("low on disk");
    alarms.put("low on disk", "store", false);
    expect(alarms.active).toBe(false);
  });
});
