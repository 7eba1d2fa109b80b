import { closeSync, mkdirSync, openSync, writeSync } from "node:fs";
import { dirname } from "node:path";

/** The log may name users and queues: it is its owner's alone. Who rotates it may make the next file with other rights. */
const directoryMode = 0o700;
const fileMode = 0o600;

/** A file that cannot be opened for the log. */
export class LogFileError extends Error {
  override readonly name = "LogFileError";
}

/** A file that lines are added to. A disk that is full costs lines, and never the broker. */
export class LogFile {
  readonly path: string;
  readonly #tell: (trouble: string) => void;
  #descriptor: number;
  #lost = 0;

  /** Makes the file, and its directory, when they are missing. `tell` is told of trouble. Throws {@link LogFileError}. */
  constructor(path: string, tell: (trouble: string) => void) {
    this.path = path;
    this.#tell = tell;
    this.#descriptor = opened(path);
  }

  write(line: string): void {
    try {
      this.#append(line);
    } catch (error) {
      if (this.#lost++ === 0) this.#tell(`the log cannot be written to '${this.path}': ${textOf(error)}`);
      return;
    }
    if (this.#lost === 0) return;
    this.#tell(`the log is written to '${this.path}' again: ${this.#lost} lines are missing in it`);
    this.#lost = 0;
  }

  #append(line: string): void {
    const bytes = Buffer.from(line);
    let written = 0;
    while (written < bytes.length) written += writeSync(this.#descriptor, bytes, written);
  }

  /** Goes on in the file of that name as it is now, which another program may have put there. Throws {@link LogFileError}. */
  reopen(): void {
    const before = this.#descriptor;
    this.#descriptor = opened(this.path);
    closeSync(before);
  }
}

function opened(path: string): number {
  try {
    mkdirSync(dirname(path), { recursive: true, mode: directoryMode });
    return openSync(path, "a", fileMode);
  } catch (cause) {
    throw new LogFileError(`cannot write the log to '${path}': ${textOf(cause)}`, { cause });
  }
}

function textOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
