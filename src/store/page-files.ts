import { mkdirSync, readFile, rm, rmSync, writeFile } from "node:fs";
import { join } from "node:path";
import { checksumOf } from "./checksum.ts";
import type { Pages } from "./pages.ts";

/** So often is tried to read a page that the disk does not give, which it may yet do, and how soon again. */
const triesMax = 3;
const retryMs = 1000;

/** The folder of pages in a data directory: made once a broker could use it, and emptied at each start. */
export const pagesFolder = "pages";

type ReadDone = (image: Buffer | undefined, error: Error | undefined) => void;

interface PageFile {
  readonly path: string;
  readonly checksum: number;
}

/**
 * Pages as files in a directory that is emptied at every start. The thread pool does the work, in any order: so each
 * page that is written is a file of its own, lest one that is dropped take the next of its segment with it.
 */
export class PageFiles implements Pages {
  readonly #directory: string;
  readonly #files = new Map<number, PageFile>();
  #written = 0;

  constructor(directory: string) {
    this.#directory = directory;
    rmSync(directory, { recursive: true, force: true });
    mkdirSync(directory, { recursive: true, mode: 0o700 });
  }

  write(segment: number, image: Buffer, done: (error: Error | undefined) => void): void {
    const file = join(this.#directory, `${segment}-${++this.#written}`);
    this.#files.set(segment, { path: file, checksum: checksumOf(image, segment) });
    writeFile(file, image, { mode: 0o600 }, (error) => done(error ?? undefined));
  }

  read(segment: number, done: ReadDone): void {
    const file = this.#files.get(segment);
    if (file === undefined) setImmediate(done, undefined, new Error(`there is no page of segment ${segment}`));
    else this.#read(segment, file, 1, done);
  }

  #read(segment: number, file: PageFile, tries: number, done: ReadDone): void {
    readFile(file.path, (error, image) => {
      if (error !== null && tries < triesMax) {
        setTimeout(() => this.#read(segment, file, tries + 1, done), retryMs).unref();
      } else if (error !== null) done(undefined, error);
      else if (checksumOf(image, segment) === file.checksum) done(image, undefined);
      else done(undefined, new Error(`the page of segment ${segment} is damaged`));
    });
  }

  drop(segment: number): void {
    const file = this.#files.get(segment);
    if (file === undefined) return;
    this.#files.delete(segment);
    // A file that stays costs room until the next start, which removes it.
    rm(file.path, { force: true }, () => {});
  }
}
