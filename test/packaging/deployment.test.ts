import { spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, symlinkSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { validate } from "dockerfile-utils";
import { describe, expect, it, onTestFinished } from "vitest";
import { systemdAnalyze } from "../support/programs.ts";

describe.each(["docker/Dockerfile", "docker/celery/Dockerfile"])("%s", (file) => {
  const text = readFileSync(file, "utf8");

  it("has nothing that a linter finds", () => {
    expect(validate(text)).toEqual([]);
  });

  it("needs nothing that only some builders know, nor an image of the builder's own", () => {
    expect(text).not.toMatch(/^# *syntax=|^(COPY|ADD) .*--(chmod|link)|^RUN .*--mount|<</m);
  });

  it("ends as another user than root", () => {
    const user = [...text.matchAll(/^(FROM|USER) (.*)$/gm)].at(-1);
    expect(user?.[1]).toBe("USER");
    expect(user?.[2]).not.toMatch(/^(root|0)/);
  });
});

describe("the image", () => {
  const text = readFileSync("docker/Dockerfile", "utf8");

  it("is built apart from what it needs to be built", () => {
    expect(text.match(/^FROM /gm)).toHaveLength(2);
  });

  it("names its user by number, which Kubernetes needs to see that it is not root", () => {
    expect(text).toMatch(/^USER 999:999$/m);
    expect(text).toMatch(/useradd .*--uid 999 .* rabbitmq/);
  });

  it("can be run as any user", () => {
    const directories = /install .*--mode=1777((?:[ \\\n]+\/\S+)+)/.exec(text)?.[1]?.match(/\/\S+/g);
    expect(directories).toEqual(["/var/lib/rabbitmq", "/var/log/rabbitmq", "/etc/rabbitmq", "/etc/rabbitmq/conf.d"]);
  });

  it("has RabbitMQ's volume, ports and a health check", () => {
    expect(text).toMatch(/^VOLUME \/var\/lib\/rabbitmq$/m);
    expect(text).toMatch(/^EXPOSE 5671 5672 15671 15672 15692$/m);
    expect(text).toMatch(/^HEALTHCHECK .*"rabbitmq-diagnostics", "-q", "ping"/m);
  });
});

describe("the image's entry point", () => {
  const isRoot = process.getuid?.() === 0;

  /** The data directory of the broker's own variable, as a command in the container has it. */
  function dataDirGiven(env: Readonly<Record<string, string>>): string {
    const all = { PATH: process.env["PATH"] ?? "", XDG_STATE_HOME: "/var/lib/rabbitmq", ...env };
    const { stdout } = spawnSync("/bin/sh", ["docker/docker-entrypoint.sh", "env"], { env: all, encoding: "utf8" });
    return /^TSBROKER_DATA_DIR=(.*)$/m.exec(stdout)?.[1] ?? "";
  }

  it("has root's data in the volume as well, unless somebody says where", () => {
    expect(dataDirGiven({})).toBe(isRoot ? "/var/lib/rabbitmq/tsbroker" : "");
    expect(dataDirGiven({ TSBROKER_DATA_DIR: "/own" })).toBe("/own");
    expect(dataDirGiven({ RABBITMQ_MNESIA_DIR: "/theirs" })).toBe("");
    expect(dataDirGiven({ RABBITMQ_MNESIA_BASE: "/theirs" })).toBe("");
  });
});

describe("the image's rabbitmq-server", () => {
  it("starts the broker, called by the entry point or by a script of one's own", () => {
    const bin = mkdtempSync(join(tmpdir(), "image-bin-"));
    onTestFinished(() => rmSync(bin, { recursive: true }));
    symlinkSync(resolve("dist/bin/tsbroker.js"), join(bin, "tsbroker"));
    symlinkSync(resolve("docker/rabbitmq-server"), join(bin, "rabbitmq-server"));
    const env = { PATH: `${bin}:${process.env["PATH"] ?? ""}` };
    for (const command of [
      ["rabbitmq-server", "--help"],
      ["sh", "-c", "true && rabbitmq-server --help"],
    ]) {
      const { stdout } = spawnSync(resolve("docker/docker-entrypoint.sh"), command, { env, encoding: "utf8" });
      expect(stdout).toMatch(/^Usage: tsbroker start /);
    }
  });
});

describe.skipIf(systemdAnalyze().command === undefined)("the systemd unit", () => {
  const unit = "packaging/systemd/tsbroker.service";

  it("is one that systemd can read", () => {
    const { stderr, status } = spawnSync("systemd-analyze", ["verify", "--man=no", unit], { encoding: "utf8" });
    expect({ stderr, status }).toEqual({ stderr: "", status: 0 });
  });

  it("lets the broker do little else than its work", () => {
    const { stdout } = spawnSync("systemd-analyze", ["security", "--offline=true", unit], { encoding: "utf8" });
    expect(Number(/Overall exposure level for \S+: ([\d.]+)/.exec(stdout)?.[1])).toBeLessThan(2);
  });
});
