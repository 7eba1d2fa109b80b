// Installs and builds what is missing or stale, so that `npm start` and `npm test` work on a fresh checkout.
import { execFileSync } from "node:child_process";
import { existsSync, readdirSync, statSync } from "node:fs";
import { join } from "node:path";

const root = join(import.meta.dirname, "..");
const npm = process.platform === "win32" ? "npm.cmd" : "npm";
const run = (...args) => execFileSync(npm, args, { cwd: root, stdio: ["ignore", 2, 2], shell: npm !== "npm" });
const modified = (path) => (existsSync(path) ? statSync(path).mtimeMs : 0);

function newest(path) {
  const entry = statSync(path);
  if (!entry.isDirectory()) return entry.mtimeMs;
  return Math.max(entry.mtimeMs, ...readdirSync(path).map((name) => newest(join(path, name))));
}

if (modified(join(root, "node_modules/.package-lock.json")) < modified(join(root, "package-lock.json"))) {
  console.error("Installing dependencies: a minute, or two where SQLite has to be compiled.");
  run("ci", "--no-audit", "--no-fund");
}
const sources = ["src", "bin", "scripts", "package.json", "tsconfig.json"].map((name) => newest(join(root, name)));
if (modified(join(root, "dist/.built")) < Math.max(...sources)) {
  console.error("Compiling.");
  run("run", "--silent", "build");
}
