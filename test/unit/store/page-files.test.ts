import { mkdirSync, mkdtempSync, readdirSync, renameSync, rmdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, expect, it } from "vitest";
import { PageFiles } from "../../../src/store/page-files.ts";

const directory = mkdtempSync(join(tmpdir(), "tsbroker-pages-"));
const pages = new PageFiles(join(directory, "pages"));
const image = Buffer.from("an image of a segment");

afterEach(() => rmSync(directory, { recursive: true, force: true }));

function write(segment: number): Promise<void> {
  return new Promise((resolve, reject) => {
    pages.write(segment, image, (error) => (error === undefined ? resolve() : reject(error)));
  });
}

/** What is read, which may take a while. */
function read(segment: number): Promise<Buffer | Error | undefined> {
  return new Promise((resolve) => pages.read(segment, (found, error) => resolve(found ?? error)));
}

it("a page that cannot be read is asked for again, some times", async () => {
  await write(1);
  const [name = ""] = readdirSync(join(directory, "pages"));
  const file = join(directory, "pages", name);
  renameSync(file, join(directory, "away"));
  mkdirSync(file);
  expect(await read(1)).toMatchObject({ code: "EISDIR" });
  const found = read(1);
  rmdirSync(file);
  renameSync(join(directory, "away"), file);
  expect(await found).toEqual(image);
});
