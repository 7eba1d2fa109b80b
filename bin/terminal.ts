import type { ReadStream, WriteStream } from "node:tty";

/** How far some work has come. */
export interface Progress {
  /** Tells how much is done. */
  update(done: number): void;
  /** Takes the bar away. */
  end(): void;
}

/** Who sits at the other end: what they are asked and what they see besides the result. */
export interface Terminal {
  /** Whether anybody sees progress. */
  readonly isWatched: boolean;
  /** Reads a password: from the terminal without showing it, or else a line of standard input. */
  secret(prompt: string): Promise<string>;
  /** Reads standard input to its end. */
  input(): Promise<Buffer>;
  /** Says something that is no result, to people only. */
  note(text: string): void;
  /** Shows how far work has come, to people only; `total` is undefined when nobody knows it. */
  progress(what: string, total: number | undefined): Progress;
}

/** The streams of a process. */
export interface TerminalStreams {
  readonly input: NodeJS.ReadStream;
  readonly error: NodeJS.WriteStream;
}

/** The terminal of this process. */
export function processTerminal({ input, error }: TerminalStreams): Terminal {
  return {
    isWatched: error.isTTY,
    secret: (prompt) => (input.isTTY ? readHidden(input, error, prompt) : firstLine(input)),
    input: () => {
      if (input.isTTY) error.write("Reading standard input; Ctrl-D ends it\n");
      return readAll(input);
    },
    note: (text) => {
      if (error.isTTY) error.write(`${text}\n`);
    },
    progress: (what, total) => (error.isTTY ? new ProgressBar(error, what, total) : noProgress),
  };
}

const noProgress: Progress = { update: () => {}, end: () => {} };

async function readAll(input: NodeJS.ReadStream): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for await (const chunk of input) chunks.push(Buffer.from(chunk));
  return Buffer.concat(chunks);
}

async function firstLine(input: NodeJS.ReadStream): Promise<string> {
  const [line = ""] = (await readAll(input)).toString("utf8").split(/\r?\n/);
  return line;
}

const interrupted = 130;

/** Reads a line without showing it. Ctrl-C ends the process, as it would without raw mode. */
function readHidden(input: ReadStream, error: NodeJS.WriteStream, prompt: string): Promise<string> {
  return new Promise((resolve) => {
    let typed = "";
    const stop = () => {
      input.setRawMode(false).pause().off("data", onData);
      error.write("\n");
    };
    const onData = (chunk: Buffer) => {
      for (const key of chunk.toString("utf8")) {
        if (key === "\r" || key === "\n") {
          stop();
          resolve(typed);
          return;
        }
        if (key === "\x03" || key === "\x04") {
          stop();
          process.exit(interrupted);
        }
        typed = key === "\x7f" || key === "\b" ? [...typed].slice(0, -1).join("") : typed + key;
      }
    };
    error.write(prompt);
    input.setRawMode(true).resume().on("data", onData);
  });
}

const barWidth = 30;
/** Of a terminal that does not say how wide it is, as those that nobody has set up. */
const columnsUnknown = 80;
const redrawMs = 100;

/** A bar that fills, or a count that grows when nobody knows how much there is. */
class ProgressBar implements Progress {
  readonly #stream: WriteStream;
  readonly #what: string;
  readonly #total: number | undefined;
  #drawnAt = 0;

  constructor(stream: WriteStream, what: string, total: number | undefined) {
    this.#stream = stream;
    this.#what = what;
    this.#total = total;
    this.#draw(0);
  }

  update(done: number): void {
    if (done !== this.#total && Date.now() - this.#drawnAt < redrawMs) return;
    this.#draw(done);
  }

  end(): void {
    this.#stream.write("\r\x1b[K");
  }

  #draw(done: number): void {
    this.#drawnAt = Date.now();
    const columns = this.#stream.columns || columnsUnknown;
    const text = progressText(this.#what, done, this.#total).slice(0, Math.max(1, columns - 1));
    this.#stream.write(`\r\x1b[K${text}`);
  }
}

/** One line that says how far it has come. */
export function progressText(what: string, done: number, total: number | undefined): string {
  if (total === undefined || total === 0) return `${what} ${done === 0 ? "..." : done.toLocaleString("en")}`;
  const part = Math.min(1, done / total);
  const full = Math.round(part * barWidth);
  return `${what} [${"#".repeat(full)}${"-".repeat(barWidth - full)}] ${String(Math.floor(part * 100)).padStart(3)}%`;
}
