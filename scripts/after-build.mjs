// Last step of the build: the commands are executable, and a stamp tells ensure-built that the build is whole.
import { chmodSync, existsSync, writeFileSync } from "node:fs";
import { join } from "node:path";

const dist = join(import.meta.dirname, "..", "dist");
for (const command of ["bin/tsbroker.js", "bin/brokerctl.js"]) {
  const file = join(dist, command);
  if (existsSync(file)) chmodSync(file, 0o755);
}
writeFileSync(join(dist, ".built"), "");
