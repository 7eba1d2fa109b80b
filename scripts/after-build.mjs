// Last step of the build: the store's thread is one file, the commands are executable, and a stamp tells ensure-built that the
// build is whole.
import { chmodSync, existsSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { build } from "esbuild";

const dist = join(import.meta.dirname, "..", "dist");

// A start waits for this thread to load its modules: docs/decisions/0026-the-writer-is-one-file.md.
const writer = join(dist, "src/store/writer.js");
await build({
  entryPoints: [writer],
  outfile: writer,
  allowOverwrite: true,
  bundle: true,
  packages: "external",
  platform: "node",
  format: "esm",
  target: "node20",
  sourcemap: true,
  logLevel: "warning",
});

for (const command of ["bin/tsbroker.js", "bin/brokerctl.js"]) {
  const file = join(dist, command);
  if (existsSync(file)) chmodSync(file, 0o755);
}
writeFileSync(join(dist, ".built"), "");
