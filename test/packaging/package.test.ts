import { execFileSync, spawnSync } from "node:child_process";
import { cpSync, existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { version } from "../../src/version.ts";

const root = join(import.meta.dirname, "../..");
const folder = mkdtempSync(join(tmpdir(), "tsbroker-package-"));
let files: readonly string[] = [];
let complaints = "";

function sh(command: string, ...args: readonly string[]): string {
  return execFileSync(command, args, { cwd: folder, encoding: "utf8", stdio: ["ignore", "pipe", "pipe"] });
}

/** Installs the packed broker into an empty folder, as its users would. What is compiled there is compiled here already. */
beforeAll(() => {
  const packed: unknown = JSON.parse(
    execFileSync("npm", ["pack", "--json", "--ignore-scripts", "--pack-destination", folder], {
      cwd: root,
      encoding: "utf8",
      stdio: ["ignore", "pipe", "ignore"],
    }),
  );
  const [{ filename, files: listed }] = Object.values(Object(packed)) as [
    { filename: string; files: readonly { path: string }[] },
  ];
  files = listed.map(({ path }) => path);
  sh("npm", "init", "--yes");
  const install = ["install", "--ignore-scripts", "--prefer-offline", "--no-audit", "--no-fund", `./${filename}`];
  const { status, stderr } = spawnSync("npm", install, { cwd: folder, encoding: "utf8" });
  if (status !== 0) throw new Error(`npm install ended with ${status}\n${stderr}`);
  complaints = stderr;
  const compiled = "node_modules/better-sqlite3/build";
  cpSync(join(root, compiled), join(folder, compiled), { recursive: true });
}, 120_000);

afterAll(() => rmSync(folder, { recursive: true, force: true }));

describe("the package", () => {
  it("asks for no other Node.js than the broker does, with all that it needs", () => {
    expect(complaints).not.toContain("EBADENGINE");
  });

  it("holds what is needed and nothing else", () => {
    const needed = [
      /^(package\.json|README\.md|CHANGELOG\.md|LICENSE)$/,
      /^dist\/(bin|src)\/.+\.js$/,
      /^dist\/src\/.+\.d\.ts$/,
      /^dist\/ui\/(index\.html|assets\/[^/]+\.(js|css|svg))(\.gz)?$/,
      /^man\/(tsbroker|brokerctl)\.1$/,
    ];
    expect(files.filter((file) => !needed.some((pattern) => pattern.test(file)))).toEqual([]);
    for (const file of [
      "dist/bin/tsbroker.js",
      "dist/bin/brokerctl.js",
      "dist/src/embedded.d.ts",
      "dist/ui/index.html",
    ]) {
      expect(files).toContain(file);
    }
  });

  it("gives its commands, under RabbitMQ's names too", () => {
    for (const name of ["tsbroker", "brokerctl", "rabbitmqctl"]) {
      expect(sh(join(folder, "node_modules/.bin", name), "--version")).toContain(version);
    }
  });

  it("needs few others, none of them to build it", () => {
    const installed = readFileSync(join(folder, "node_modules/.package-lock.json"), "utf8");
    for (const tool of ["typescript", "vite", "preact", "vitest"])
      expect(installed).not.toContain(`node_modules/${tool}"`);
  });

  it("starts a broker in a program, and types it", () => {
    writeFileSync(
      join(folder, "use.mts"),
      `import { type Broker, startBroker } from "tsbroker";
const broker: Broker = await startBroker({ logLevel: "silent" });
const url: string = broker.url;
await broker.clock.advance("1h");
console.log(url, broker.findQueue("none"), (await fetch(broker.managementUrl)).status);
await broker.stop();
`,
    );
    const tsc = join(root, "node_modules/.bin/tsc");
    const types = join(root, "node_modules/@types");
    const options = ["--strict", "--target", "es2023", "--types", "node", "--typeRoots", types, "use.mts"];
    sh(tsc, "--module", "esnext", "--moduleResolution", "bundler", "--noEmit", ...options);
    sh(tsc, "--module", "node16", ...options);
    expect(sh(process.execPath, "use.mjs")).toMatch(/^amqp:\/\/guest:guest@127\.0\.0\.1:\d+ undefined 200\n$/);
    expect(existsSync(join(folder, "use.mjs"))).toBe(true);
  });
});
