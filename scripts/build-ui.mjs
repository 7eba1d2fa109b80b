// Builds the web interface into dist/ui, unless what is there is newer than its sources.
import { existsSync, readdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { build } from "vite";

const root = join(import.meta.dirname, "..");
const out = join(root, "dist/ui");
const stamp = join(out, ".built");

function newest(path) {
  const entry = statSync(path);
  if (!entry.isDirectory()) return entry.mtimeMs;
  return Math.max(entry.mtimeMs, ...readdirSync(path).map((name) => newest(join(path, name))));
}

const inputs = ["src/mgmt/ui", "package-lock.json", "scripts/build-ui.mjs"];
const isFresh =
  existsSync(stamp) && statSync(stamp).mtimeMs > Math.max(...inputs.map((name) => newest(join(root, name))));

if (!isFresh) {
  await build({
    configFile: false,
    root: join(root, "src/mgmt/ui"),
    base: "./",
    logLevel: "warn",
    publicDir: false,
    oxc: { jsx: { runtime: "automatic", importSource: "preact" } },
    // Everything is a file: the content security policy allows nothing else.
    build: { outDir: out, emptyOutDir: true, assetsInlineLimit: 0, modulePreload: false, target: "es2022" },
  });
  for (const name of readdirSync(out, { recursive: true })) {
    const file = join(out, name);
    if (/\.(js|css|html|svg)$/.test(name)) writeFileSync(`${file}.gz`, gzipSync(readFileSync(file), { level: 9 }));
  }
  writeFileSync(stamp, "");
}
