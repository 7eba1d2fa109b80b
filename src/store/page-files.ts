import { mkdirSync, readFile, rm, rmSync, writeFile } from "node:fs";
import { join } from "node:path";
import type { Pages } from "./pages.ts";

/** Pages as files, one a segment, in a directory that is emptied at every start. The thread pool does the work. */
export class PageFiles implements Pages {
  readonly #directory: string;

  constructor(directory: string) {
    this.#directory = directory;
    rmSync(directory, { recursive: true, force: true });
    mkdirSync(directory, { recursive: true, mode: 0o700 });
  }

  write(segment: number, image: Buffer, done: (error: Error | undefined) => void): void {
    writeFile(this.#file(segment), image, { mode: 0o600 }, (error) => done(error ?? undefined));
  }

  read(segment: number, done: (image: Buffer | undefined, error: Error | undefined) => void): void {
    readFile(this.#file(segment), (error, image) => done(error === null ? image : undefined, error ?? undefined));
  }

  drop(segment: number): void {
    // A file that stays costs room until the next start, which removes it.
    rm(this.#file(segment), { force: true }, () => {});
  }

  #file(segment: number): string {
    return join(this.#directory, String(segment));
  }
}
