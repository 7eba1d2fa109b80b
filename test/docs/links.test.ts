import { existsSync, readdirSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { describe, expect, it } from "vitest";

const pages = [
  ...readdirSync(".").filter((name) => name.endsWith(".md")),
  ...readdirSync("docs", { recursive: true, encoding: "utf8" })
    .filter((name) => name.endsWith(".md"))
    .map((name) => join("docs", name)),
];

/** What a page links to in this repository. */
function linksOf(page: string): readonly string[] {
  const links = [...readFileSync(page, "utf8").matchAll(/\]\((?!https?:)([^)#\s]+)[^)]*\)/g)];
  return links.map(([, target = ""]) => join(dirname(page), target));
}

describe("the documentation", () => {
  it.each(pages)("has no link in %s that leads nowhere", (page) => {
    expect(linksOf(page).filter((target) => !existsSync(target))).toEqual([]);
  });

  it("has every page in its index", () => {
    const listed = new Set(linksOf("docs/README.md"));
    const inDocs = pages.filter((page) => /^docs\/(guides\/)?[^/]+\.md$/.test(page) && page !== "docs/README.md");
    expect(inDocs.filter((page) => !listed.has(page))).toEqual([]);
  });
});
