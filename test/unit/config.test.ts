import { hostname } from "node:os";
import { describe, expect, it } from "vitest";
import { defaultLimits } from "../../src/broker-limits.ts";
import { type Config, type ConfigSources, defaultConfig, type LoadedConfig, loadConfig } from "../../src/config.ts";
import { ConfigError } from "../../src/config-file.ts";
import { nodeName } from "../../src/node-name.ts";
import { version } from "../../src/version.ts";

const path = "/etc/t.conf";

function load({ file, ...sources }: Partial<ConfigSources> & { file?: string }): LoadedConfig {
  const flags = file === undefined ? sources.flags : { config: path, ...sources.flags };
  const readFile = (name: string) => (name === path ? (file ?? "") : `${name} content\n`);
  return loadConfig({ readFile, env: {}, ...sources, flags: flags ?? {} });
}

function fromFile(file: string): Config {
  return load({ file }).config;
}

function errorOf(sources: Parameters<typeof load>[0]): string {
  try {
    load(sources);
  } catch (error) {
    if (error instanceof ConfigError) return error.message;
    throw error;
  }
  return "no error";
}

const loginDefaults = {
  resources: {
    memoryHighWatermark: { relative: 0.6 },
    diskFreeLimit: { absolute: 50_000_000 },
    totalMemory: undefined,
    monitorIntervalMs: 250,
  },
  prometheus: {
    ...{ host: undefined, port: 15_692, isAskedFor: false, ssl: undefined },
    ...{ path: "/metrics", perObject: false, needsLogin: false },
  },
  statsIntervalMs: 5000,
  http: expect.objectContaining({ corsOrigins: [], corsMaxAge: 1800, hsts: undefined, bodyMax: 10_000_000 }),
  limits: defaultLimits,
  initialFrameMax: 8192,
  sslHandshakeTimeoutMs: 5000,
  certLogin: { from: "distinguished_name", sanType: "dns", sanIndex: 0 },
  authMechanisms: ["PLAIN", "AMQPLAIN"],
  firstUser: { tags: ["administrator"], configure: ".*", write: ".*", read: ".*" },
  loginBackoff: { failuresMax: 10, waitMsMax: 60_000 },
  passwordHashing: "scrypt",
};

describe("a setting", () => {
  it("has RabbitMQ's default", () => {
    expect(defaultConfig()).toEqual({
      host: undefined,
      port: 5672,
      managementHost: undefined,
      managementPort: 15_672,
      dataDir: expect.stringMatching(/^\/.*tsbroker$/),
      ssl: undefined,
      managementSsl: undefined,
      ...loginDefaults,
      logLevel: "info",
      logLevels: new Map(),
      log: { console: { to: "stdout", level: "info", format: "auto" }, file: undefined },
      heartbeat: 60,
      frameMax: 131_072,
      channelMax: 2047,
      handshakeTimeoutMs: 10_000,
      consumerTimeoutMs: 0,
      maxMessageSize: 134_217_728,
      queueMemory: 134_217_728,
      defaultUser: "guest",
      defaultPass: "guest",
      defaultVhost: "/",
      loopbackUsers: ["guest"],
      serverProperties: { product: "tsbroker", version, cluster_name: `tsbroker@${hostname()}` },
      files: [],
      settings: expect.any(Map),
    });
  });

  it("comes from its flag, else the environment, else the file", () => {
    const file = "heartbeat = 10\nchannel_max = 11\nframe_max = 9000";
    const env = { TSBROKER_HEARTBEAT: "20", TSBROKER_CHANNEL_MAX: "21" };
    const { config } = load({ file, env, flags: { heartbeat: "30" } });
    expect([config.heartbeat, config.channelMax, config.frameMax]).toEqual([30, 21, 9000]);
  });

  it.each([
    [{ flags: { port: "65536" } }, "--port: '65536' is not a whole number from 0 to 65535, or 'none'"],
    [{ flags: { port: "" } }, "--port: '' is not a whole number from 0 to 65535, or 'none'"],
    [{ flags: { port: "-1" } }, "--port: '-1' is not a whole number from 0 to 65535, or 'none'"],
    [{ flags: { port: "1e3" } }, "--port: '1e3' is not a whole number from 0 to 65535, or 'none'"],
    [{ flags: { managementPort: "x" } }, "--management-port: 'x' is not a whole number from 0 to 65535, or 'none'"],
    [
      { env: { TSBROKER_LOG_LEVEL: "loud" } },
      "TSBROKER_LOG_LEVEL: 'loud' is not one of silent, fatal, error, warn, info, debug, trace",
    ],
    [
      { file: "\nframe_max = 4095" },
      `${path} line 2: frame_max: '4095' is not a size from 4096 bytes to 128 MiB, in bytes or with a unit such as MiB`,
    ],
    [
      { file: "handshake_timeout = 0" },
      `${path} line 1: handshake_timeout: '0' is not a whole number from 1 to 2147483647`,
    ],
    [
      { file: "vm_memory_high_watermark.relative = lots" },
      `${path} line 1: vm_memory_high_watermark.relative: 'lots' is not a part of the memory such as 0.4, or a size such as 2GB`,
    ],
    [{ flags: { loopbackUsers: "a,,b" } }, "--loopback-users: 'a,,b' is not names separated by commas, or 'none'"],
    [{ flags: { defaultPass: "" } }, "--default-pass: the value is not a password"],
  ])("that cannot be used says where it came from and what is allowed: %j", (sources, message) => {
    expect(errorOf(sources)).toBe(message);
  });

  it("may stand at the ends of its range", () => {
    const { config } = load({ flags: { port: "0", managementPort: "65535", heartbeat: "0", frameMax: "4096" } });
    expect(config).toMatchObject({ port: 0, managementPort: 65_535, heartbeat: 0, frameMax: 4096 });
  });
});

describe("further configuration files", () => {
  it("are read in the order of their names, and count more than the main one", () => {
    const texts: Readonly<Record<string, string>> = {
      "/etc/main.conf": "heartbeat = 10\nframe_max = 9000\nno.such.key = 1",
      "/etc/conf.d/20-b.conf": "heartbeat = 21",
      "/etc/conf.d/10-a.conf": "heartbeat = 20\nchannel_max = 7\nnor.this = 1",
    };
    const { config, warnings } = loadConfig({
      flags: {},
      env: { RABBITMQ_CONFIG_FILE: "/etc/main.conf", RABBITMQ_CONFIG_FILES: "/etc/conf.d" },
      readFile: (name) => texts[name] ?? "",
      readDirectory: () => ["20-b.conf", "README", "10-a.conf"],
    });
    expect([config.heartbeat, config.channelMax, config.frameMax]).toEqual([21, 7, 9000]);
    expect(warnings).toEqual([
      "ignored what has no meaning here: /etc/main.conf: no.such.key (unknown); /etc/conf.d/10-a.conf: nor.this (unknown)",
    ]);
  });
});

describe("the environment", () => {
  it("may use the names that RabbitMQ has", () => {
    const env = {
      RABBITMQ_DEFAULT_USER: "u",
      RABBITMQ_DEFAULT_PASS: "p",
      RABBITMQ_DEFAULT_VHOST: "v",
      RABBITMQ_NODE_PORT: "1",
      RABBITMQ_NODE_IP_ADDRESS: "::1",
      RABBITMQ_PRODUCT_NAME: "RabbitMQ",
      RABBITMQ_PRODUCT_VERSION: "4.3.5",
    };
    expect(load({ env }).config).toMatchObject({
      defaultUser: "u",
      defaultPass: "p",
      defaultVhost: "v",
      port: 1,
      host: "::1",
      serverProperties: { product: "RabbitMQ", version: "4.3.5" },
    });
    expect(load({ env: { ...env, TSBROKER_DEFAULT_USER: "own" } }).config.defaultUser).toBe("own");
    expect(load({ env: { RABBITMQ_MNESIA_BASE: "/base" } }).config.dataDir).toBe(`/base/${nodeName}`);
    expect(load({ env: { RABBITMQ_MNESIA_BASE: "/base", RABBITMQ_MNESIA_DIR: "/dir" } }).config.dataDir).toBe("/dir");
  });

  it("may name files for the default user, password and virtual host", () => {
    const env = { RABBITMQ_DEFAULT_PASS_FILE: "/run/pass", TSBROKER_DEFAULT_USER_FILE: "/run/user" };
    expect(load({ env }).config).toMatchObject({ defaultPass: "/run/pass content", defaultUser: "/run/user content" });
    const both = { RABBITMQ_DEFAULT_PASS: "p", RABBITMQ_DEFAULT_PASS_FILE: "/run/pass" };
    expect(errorOf({ env: both })).toBe(
      "RABBITMQ_DEFAULT_PASS and RABBITMQ_DEFAULT_PASS_FILE are both set: one of them is enough",
    );
    expect(load({ env: { TSBROKER_PORT_FILE: "/run/port" } }).config.port).toBe(5672);
  });

  it("says nothing by an empty variable", () => {
    expect(load({ env: { TSBROKER_PORT: "", RABBITMQ_NODE_PORT: "7", TSBROKER_CONFIG: "" } }).config.port).toBe(7);
  });

  it("names the directory for the data of a user", () => {
    const root = process.getuid?.() === 0;
    const { dataDir } = load({ env: { XDG_STATE_HOME: "/state" } }).config;
    expect(dataDir).toBe(root ? "/var/lib/tsbroker" : "/state/tsbroker");
  });
});

describe("the configuration file", () => {
  it("takes RabbitMQ's keys", () => {
    const config = fromFile(`
      listeners.tcp.default = 127.0.0.1:5673   # an address and a port
      management.tcp.port=15673
      management.tcp.ip = 127.0.0.2
      data_dir = /data
      log.console.level = warning
      heartbeat = 61
      frame_max = 128KB
      channel_max = 0
      handshake_timeout = 5000
      consumer_timeout = 1800000
      max_message_size = 1 MiB
      default_user = u
      default_pass = 'a#b c'
      default_vhost = v
      cluster_name = c
      product.name = p
      product.version = 1
    `);
    expect(config).toEqual({
      host: "127.0.0.1",
      port: 5673,
      managementHost: "127.0.0.2",
      managementPort: 15_673,
      dataDir: "/data",
      ssl: undefined,
      managementSsl: undefined,
      ...loginDefaults,
      prometheus: { ...loginDefaults.prometheus, host: "127.0.0.1" },
      logLevel: "warn",
      logLevels: new Map(),
      log: { console: { to: "stdout", level: "warn", format: "auto" }, file: undefined },
      heartbeat: 61,
      frameMax: 131_072,
      channelMax: 65_535,
      handshakeTimeoutMs: 5000,
      consumerTimeoutMs: 1_800_000,
      maxMessageSize: 1_048_576,
      queueMemory: 134_217_728,
      defaultUser: "u",
      defaultPass: "a#b c",
      defaultVhost: "v",
      loopbackUsers: ["guest"],
      serverProperties: { product: "p", version: "1", cluster_name: "c" },
      files: [path],
      settings: expect.any(Map),
    });
  });

  it.each([
    ["listeners.tcp.1 = 1", undefined, 1],
    ["listeners.tcp.local = ::1:2", "::1", 2],
    ["listeners.tcp.local = [::1]:2", "::1", 2],
    ["listeners.tcp.1 = 1\nlisteners.tcp.1 = localhost:2", "localhost", 2],
  ])("'%s' listens on %s port %s, management too", (file, host, port) => {
    expect(fromFile(file)).toMatchObject({ host, managementHost: host, port });
  });

  it("takes RabbitMQ's keys for TLS", () => {
    const config = fromFile(`
      listeners.tcp = none
      listeners.ssl.1 = 5671
      ssl_options.cacertfile = /ca
      ssl_options.certfile = /cert
      ssl_options.keyfile = /key
      ssl_options.password = secret
      ssl_options.verify = verify_peer
      ssl_options.fail_if_no_peer_cert = true
      ssl_options.depth = 2
      ssl_options.versions.1 = tlsv1.2
      ssl_options.ciphers.1 = A
      ssl_options.ciphers.2 = B
      ssl_options.honor_cipher_order = false
      ssl_options.sni.a\\.test.certfile = /a
      ssl_options.sni.a\\.test.keyfile = /b
      ssl_handshake_timeout = 100
      ssl_cert_login_from = common_name
      auth_mechanisms.1 = EXTERNAL
      management.ssl.port = 15671
    `);
    const certificate = { certfile: "/cert", keyfile: "/key" };
    expect(config).toMatchObject({
      port: undefined,
      managementPort: undefined,
      ssl: {
        host: undefined,
        port: 5671,
        tls: {
          certificate,
          password: "secret",
          cacertfile: "/ca",
          verifyPeer: true,
          failIfNoPeerCert: true,
          depth: 2,
          versions: ["tlsv1.2"],
          ciphers: "A:B",
          honorCipherOrder: false,
          sni: new Map([["a.test", { certfile: "/a", keyfile: "/b" }]]),
        },
      },
      sslHandshakeTimeoutMs: 100,
      certLogin: { from: "common_name" },
      authMechanisms: ["EXTERNAL"],
      managementSsl: {
        port: 15_671,
        tls: { certificate, password: "secret", verifyPeer: false, cacertfile: undefined },
      },
    });
  });

  it.each([
    ["", 15_672, undefined],
    ["management.listener.port = 1", 1, undefined],
    ["management.listener.port = 1\nmanagement.listener.ssl = true", undefined, 1],
    ["management.listener.ssl = true", undefined, 15_671],
    ["management.listener.port = 1\nmanagement.listener.ssl = true\nmanagement.tcp.port = 2", 2, 1],
  ])("takes the old names of the HTTP API's listeners: %j", (lines, port, sslPort) => {
    const config = fromFile(`listeners.ssl.1 = 5671\nssl_options.certfile = a\nssl_options.keyfile = b\n${lines}`);
    expect(config.managementPort).toBe(port);
    expect(config.managementSsl?.port).toBe(sslPort);
  });

  it("takes RabbitMQ's keys for metrics", () => {
    const { prometheus } = fromFile(`
      prometheus.ssl.port = 15691
      prometheus.ssl.ip = ::1
      prometheus.ssl.certfile = /cert
      prometheus.ssl.keyfile = /key
      prometheus.path = /m
      prometheus.authentication.enabled = true
    `);
    expect(prometheus).toMatchObject({
      ...{ port: undefined, path: "/m", needsLogin: true },
      ssl: { host: "::1", port: 15_691, tls: { certificate: { certfile: "/cert", keyfile: "/key" } } },
    });
    expect(fromFile("prometheus.tcp.port = none").prometheus).toBeUndefined();
    expect(fromFile("collect_statistics_interval = 30000").statsIntervalMs).toBe(30_000);
  });

  it.each([
    [
      "management.cors.allow_origins.1 = example.org",
      `${path} line 1: management.cors.allow_origins.1: 'example.org' is not origins such as https://example.org separated by commas, '*' or 'none'`,
    ],
    ["listeners.ssl.1 = 5671", "a listener of TLS needs ssl_options.certfile and ssl_options.keyfile"],
    [
      "ssl_options.versions.1 = tlsv1.1\nlisteners.ssl.1 = 1\nssl_options.certfile = a\nssl_options.keyfile = b",
      `${path} line 1: ssl_options.versions.1: 'tlsv1.1' is not one or more of tlsv1.3, tlsv1.2, separated by commas`,
    ],
    [
      "ssl_options.sni.a.certfile = a\nlisteners.ssl.1 = 1\nssl_options.certfile = a\nssl_options.keyfile = b",
      `${path} line 1: ssl_options.sni.a.certfile: 'a=a,' is not host=certfile,keyfile, separated by semicolons`,
    ],
  ])("'%s' cannot be used", (file, message) => {
    expect(errorOf({ file })).toBe(message);
  });

  it.each([
    ["loopback_users = none", []],
    ["loopback_users.guest = false", []],
    ["loopback_users.guest = false\nloopback_users.bob = true", ["bob"]],
    ["loopback_users.my\\.app = true", ["my.app"]],
  ])("'%s' lets %j connect from this machine only", (file, users) => {
    expect(fromFile(file).loopbackUsers).toEqual(users);
  });

  it.each([
    ["notice", "info"],
    ["critical", "fatal"],
    ["none", "silent"],
    ["trace", "trace"],
  ])("takes the level %s as %s", (given, level) => {
    expect(fromFile(`log.level = ${given}`).logLevel).toBe(level);
  });

  it("may use variables of the environment", () => {
    expect(load({ file: "cluster_name = a-$(X)-b", env: { X: "x" } }).config.serverProperties.cluster_name).toBe(
      "a-x-b",
    );
    expect(errorOf({ file: "cluster_name = $(X)" })).toBe(`${path} line 1: the environment has no X`);
  });

  it("may be named by the environment, start with a byte-order mark and have lines end as on Windows", () => {
    const readFile = () => "\uFEFFheartbeat = 1\r\nchannel_max = 2\r\n";
    for (const name of ["TSBROKER_CONFIG", "RABBITMQ_CONFIG_FILE"]) {
      expect(load({ env: { [name]: path }, readFile }).config).toMatchObject({ heartbeat: 1, channelMax: 2 });
    }
  });

  it("may be named without its ending, as RabbitMQ's may, where there is no file of that very name", () => {
    const there = new Set(["/etc/a.conf", "/etc/both", "/etc/both.conf"]);
    const readFile = (name: string) => {
      if (!there.has(name)) throw new Error("ENOENT");
      return `cluster_name = of ${name}`;
    };
    const env = (given: string) => ({
      env: { RABBITMQ_CONFIG_FILE: given },
      readFile,
      exists: (name: string) => there.has(name),
    });
    const { config } = load(env("/etc/a"));
    expect([config.serverProperties.cluster_name, config.files]).toEqual(["of /etc/a.conf", ["/etc/a.conf"]]);
    expect(load(env("/etc/both")).config.files).toEqual(["/etc/both"]);
    expect(errorOf(env("/etc/none"))).toBe("RABBITMQ_CONFIG_FILE: cannot read '/etc/none': ENOENT");
  });

  it.each([
    ["heartbeat 60", "line 1: expected 'key = value'"],
    ["\n\n= 60", "line 3: expected 'key = value'"],
    ["heartbeat =", "line 1: there is no value"],
    ["heartbeat = # none", "line 1: there is no value"],
    ["default_pass = 'open", "line 1: the quote is not closed"],
    ["loopback_users = some", "line 1: loopback_users: 'some' is not 'none'"],
    ["loopback_users.bob = yes", "line 1: loopback_users.bob: 'yes' is not 'true' or 'false'"],
    ["listeners.tcp.1 = x:y", "line 1: listeners.tcp.1: 'y' is not a whole number from 0 to 65535, or 'none'"],
    ["listeners.tcp.1 = 1\nlisteners.tcp.2 = 2", "line 2: one listener is all there can be, and line 1 has one"],
  ])("%j is refused with the line", (file, message) => {
    expect(errorOf({ file })).toBe(`${path} ${message}`);
  });

  it("that cannot be read is refused with the way it was named", () => {
    const readFile = () => {
      throw new Error("ENOENT: no such file");
    };
    const reason = `cannot read '${path}': ENOENT: no such file`;
    expect(errorOf({ flags: { config: path }, readFile })).toBe(`--config: ${reason}`);
    expect(errorOf({ env: { TSBROKER_CONFIG: path }, readFile })).toBe(`TSBROKER_CONFIG: ${reason}`);
    const pass = { env: { RABBITMQ_DEFAULT_PASS_FILE: path }, readFile };
    expect(errorOf(pass)).toBe(`RABBITMQ_DEFAULT_PASS_FILE: ${reason}`);
  });

  it("may have keys that mean nothing here: one warning names them", () => {
    const { warnings } = load({
      file: "heartbeat = 1\nhipe_compile = true\nmqtt.listeners.ssl.1 = 8883\nprotocol.x = 1",
    });
    expect(warnings).toEqual([
      `ignored what has no meaning here: ${path}: hipe_compile (there is no Erlang); ` +
        "mqtt.listeners.ssl.1 (only AMQP 0-9-1 is spoken); protocol.x (unknown)",
    ]);
    expect(load({ file: "heartbeat = 1" }).warnings).toEqual([]);
  });
});
