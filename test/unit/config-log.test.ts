import { describe, expect, it } from "vitest";
import { type Config, type LoadedConfig, loadConfig } from "../../src/config.ts";
import { ConfigError } from "../../src/config-file.ts";
import { reloaded } from "../../src/config-reload.ts";
import { nodeName } from "../../src/node-name.ts";

const path = "/etc/t.conf";

function load(file: string, env: Readonly<Record<string, string>> = {}): LoadedConfig {
  return loadConfig({ flags: { config: path, dataDir: "/data" }, env, readFile: () => file });
}

function logOf(file: string, env?: Readonly<Record<string, string>>): Config["log"] {
  return load(file, env).config.log;
}

const toStdout = { to: "stdout", level: "info", format: "auto" };
const inFile = (name: string) => ({ path: name, level: "info", format: "json" });

describe("the log goes", () => {
  it.each([
    ["", toStdout, undefined],
    ["log.console = true", toStdout, undefined],
    ["log.file = false", toStdout, undefined],
    ["log.console.stdio = stderr", { ...toStdout, to: "stderr" }, undefined],
    ["log.file = /var/log/b.log", undefined, inFile("/var/log/b.log")],
    ["log.file = b.log", undefined, inFile("/data/log/b.log")],
    ["log.file = b.log\nlog.dir = /logs", undefined, inFile("/logs/b.log")],
    ["log.dir = /logs", undefined, inFile(`/logs/${nodeName}.log`)],
    ["log.file = /b.log\nlog.console = true", toStdout, inFile("/b.log")],
    ["log.file = /b.log\nlog.console = false", undefined, inFile("/b.log")],
    ["log.file = /b.log\nlog.file.formatter = plaintext", undefined, { ...inFile("/b.log"), format: "plaintext" }],
    [
      "log.file = /b.log\nlog.console = true\nlog.console.level = error\nlog.file.level = debug",
      { ...toStdout, level: "error" },
      { ...inFile("/b.log"), level: "debug" },
    ],
  ])("with %j to %j and %j", (text, console, file) => {
    expect(logOf(text)).toEqual({ console, file });
    expect(load(text).warnings).toEqual([]);
  });

  it.each([
    ["-", toStdout, undefined],
    ["-stderr", { ...toStdout, to: "stderr" }, undefined],
    ["/var/log/e.log", undefined, inFile("/var/log/e.log")],
    ["e.log", undefined, inFile("/logs/e.log")],
  ])("with RABBITMQ_LOGS=%s there and nowhere else, whatever a file says", (place, console, file) => {
    const env = { RABBITMQ_LOGS: place, RABBITMQ_LOG_BASE: "/logs" };
    expect(logOf("log.console = true\nlog.file = /b.log", env)).toEqual({ console, file });
  });

  it("at the least level of both, so that each gets its lines", () => {
    const levels = "log.file = /b.log\nlog.console = true\nlog.console.level = error\nlog.file.level = debug";
    expect(load(levels).config.logLevel).toBe("debug");
  });
});

describe("RABBITMQ_LOG", () => {
  it("sets levels and the form of lines", () => {
    const env = { RABBITMQ_LOG: "debug,connection=error,-json,+color,ra=info,+single_line" };
    const { config, warnings } = load("log.file = /b.log\nlog.file.level = warning\nlog.level = error", env);
    expect(config).toMatchObject({ logLevel: "debug", logLevels: new Map([["connection", "error"]]) });
    expect(config.log.file).toEqual({ path: "/b.log", level: "debug", format: "plaintext" });
    expect(warnings).toEqual(["ignored what has no meaning here: RABBITMQ_LOG: +color, ra=info, +single_line"]);
    expect(logOf("", { RABBITMQ_LOG: "+json" }).console).toEqual({ ...toStdout, format: "json" });
    expect(load("log.level = error", { RABBITMQ_LOG: "queue=debug" }).config.logLevel).toBe("error");
  });

  it("is refused with a level that there is not", () => {
    expect(() => load("", { RABBITMQ_LOG: "loud" })).toThrow(/^RABBITMQ_LOG: 'loud' is not one of silent/);
    expect(() => load("", { RABBITMQ_LOG: "queue=loud" })).toThrow(/^RABBITMQ_LOG: 'queue=loud' is not 'none', or/);
  });
});

describe("what is set and does nothing", () => {
  it.each([
    ["log.file.level = debug", "/etc/t.conf line 1: log.file.level (it is of something that is off)"],
    ["log.console = false", "/etc/t.conf line 1: log.console (there is no file for the log)"],
    ["log.console = true\nlog.dir = /logs", "/etc/t.conf line 2: log.dir (it is of something that is off)"],
    [
      "log.file.rotation.size = 1\nlog.file = /b.log\nlog.ra.level = debug",
      "/etc/t.conf: log.file.rotation.size (SIGHUP opens the log's file again: let logrotate do it); " +
        "log.ra.level (there are no such lines)",
    ],
    ["ssl_options.verify = verify_peer", "/etc/t.conf line 1: ssl_options.verify (it is of something that is off)"],
    [
      "management.rates_mode = none",
      "/etc/t.conf: management.rates_mode " +
        "(rates are kept of each channel, exchange and queue, and cost next to nothing)",
    ],
    [
      "cluster_formation.k8s.host = a\nnet_ticktime = 1\nmqtt.vhost = /\nmqtt.vhost = a",
      "/etc/t.conf: cluster_formation.k8s.host, net_ticktime (there is one node); " +
        "mqtt.vhost (only AMQP 0-9-1 is spoken)",
    ],
  ])("%j is in the one warning, with the reason", (text, warning) => {
    expect(load(text).warnings).toEqual([`ignored what has no meaning here: ${warning}`]);
  });

  it("is not named when it says what is so anyway", () => {
    const text =
      "management.rates_mode = basic\nauth_backends.1 = internal\nlog.exchange = true\nproxy_protocol = false";
    expect(load(text).warnings).toEqual([]);
  });

  it("stops the start where it says who users are, or hides a secret", () => {
    const refused = (text: string) => expect(() => load(text)).toThrow(ConfigError);
    refused("auth_backends.1 = ldap");
    refused("auth_backends.1.authn = rabbit_auth_backend_http");
    refused("default_pass = encrypted:c2VjcmV0");
  });

  it("is named when it stays until the next start, and what can change does", () => {
    const { config: now } = load("log.file = /a.log\nlog.level = warning\nmanagement.path_prefix = /a");
    const { config: given } = load(
      "log.file = /b.log\nlog.level = debug\nlog.queue.level = error\nmanagement.path_prefix = /b",
    );
    const { config, unchanged } = reloaded(now, given);
    expect(unchanged).toEqual(["http", "log"]);
    expect(config.log).toEqual({ console: undefined, file: { ...inFile("/a.log"), level: "debug" } });
    expect(config).toMatchObject({ logLevel: "debug", logLevels: new Map([["queue", "error"]]) });
    expect(config.http.pathPrefix).toBe("/a");
  });
});
