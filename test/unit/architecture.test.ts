import { readdirSync, readFileSync } from "node:fs";
import { posix } from "node:path";
import { describe, expect, it } from "vitest";

const kernel = [
  "bytes",
  "record",
  "record-edit",
  "field-table",
  "errors",
  "names",
  "clock",
  "earliest-timer",
  "log",
  "log-levels",
  "histogram",
  "garbage",
].map((name) => `src/${name}.ts`);
const domain = [...kernel, "src/exchange/", "src/queue/", "src/store/store.ts", "src/store/pages.ts"];

/** A core file: lies directly in src, and is not the composition root. */
const core = /^src\/(?!(broker|faces|embedded)\.ts$)[^/]+\.ts$/;

/** Who may import whom; ARCHITECTURE.md draws the same picture. The first match counts, so files go before folders. */
const layers: readonly (readonly [files: RegExp, mayImport: readonly (string | RegExp)[]])[] = [
  [
    /^src\/(bytes|record|record-edit|field-table|errors|names|clock|earliest-timer|log|log-levels|histogram|garbage)\.ts$/,
    kernel,
  ],
  [/^src\/store\//, [...kernel, "src/store/"]],
  [/^src\/exchange\//, [...kernel, "src/exchange/"]],
  [/^src\/queue\//, [...kernel, "src/queue/", "src/store/store.ts", "src/store/pages.ts"]],
  [core, [...domain, core]],
  [/^src\/protocol\/amqp\/codec\//, [...kernel, "src/protocol/amqp/codec/"]],
  [/^src\/protocol\//, [...domain, core, "src/protocol/"]],
  [/^src\/mgmt\/ui\//, ["src/mgmt/ui/"]],
  [/^src\/mgmt\//, [...domain, core, "src/mgmt/"]],
  [/^src\/(broker|faces|embedded)\.ts$/, ["src/"]],
  [/^bin\//, ["src/", "bin/"]],
];

const sources = ["src", "bin"].flatMap((folder) =>
  readdirSync(folder, { recursive: true, encoding: "utf8" })
    .filter((path) => /\.tsx?$/.test(path))
    .map((path) => posix.join(folder, path)),
);

function importsOf(file: string): string[] {
  const text = readFileSync(file, "utf8");
  const specifiers = text.matchAll(/(?:from|import)\s*\(?\s*"(\.[^"]+)"|new URL\("(\.[^"]+)"/g);
  return [...specifiers].map(([, from, url]) => posix.join(posix.dirname(file), from ?? url ?? ""));
}

function isUnder(file: string, allowed: string | RegExp): boolean {
  return typeof allowed === "string" ? file.startsWith(allowed) : allowed.test(file);
}

const imports = new Map(sources.map((file) => [file, importsOf(file)]));

/** The file, and all that it imports, directly or not. */
function reachedFrom(file: string): Set<string> {
  const seen = new Set([file]);
  for (const each of seen) for (const target of imports.get(each) ?? []) seen.add(target);
  return seen;
}

describe("the layers", () => {
  it("import nothing in a circle", () => {
    const circular = sources.filter((file) =>
      [...reachedFrom(file)].some((other) => other !== file && reachedFrom(other).has(file)),
    );
    expect(circular).toEqual([]);
  });

  it.each(sources)("let %s import only what its layer may", (file) => {
    const allowed = layers.find(([files]) => files.test(file))?.[1] ?? [];
    const forbidden = importsOf(file).filter((target) => !allowed.some((place) => isUnder(target, place)));
    expect(forbidden).toEqual([]);
  });

  it("keep exchanges and queues away from sockets, files, the clock and the log", () => {
    const pure = sources.filter((file) => /^src\/(exchange|queue|protocol\/amqp\/codec)\//.test(file));
    const reaching = pure.filter((file) =>
      /from "node:(net|tls|fs|http|worker_threads)|from "\.\.\/(log|clock)\.ts"|\bDate\.now\(|\bsetTimeout\(/.test(
        readFileSync(file, "utf8").replaceAll(/import type .*/g, ""),
      ),
    );
    expect(reaching).toEqual([]);
  });
});
