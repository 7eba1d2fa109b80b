import { writeJson } from "../src/exact-json.ts";
import { CommandError, exitCode } from "./command-error.ts";
import { type FormatterName, formatTable, isMachineReadable, type Table } from "./formatters.ts";

/** How a command is to print. */
export interface OutputSettings {
  /** Undefined: as the command finds best. */
  readonly formatter: FormatterName | undefined;
  readonly quiet: boolean;
  readonly silent: boolean;
  readonly headers: boolean;
}

/** What commands print, in the format that was asked for. */
export class Output {
  readonly #settings: OutputSettings;
  readonly #write: (text: string) => void;

  constructor(settings: OutputSettings, write: (text: string) => void) {
    this.#settings = settings;
    this.#write = write;
  }

  /** Says what is going to happen; not when told to be quiet, and not to programs. */
  banner(text: string): void {
    const { quiet, silent } = this.#settings;
    if (!quiet && !silent && !this.isMachineReadable) this.#write(`${text}\n`);
  }

  /** Prints a list, with tabs between its columns unless another format was asked for. */
  table(table: Table, usual: FormatterName = "table"): void {
    const { formatter = usual, headers, silent } = this.#settings;
    this.#write(formatTable(table, formatter, headers && !silent));
  }

  /** Prints a result of one sentence. */
  message(text: string): void {
    this.document(`${text}\n`, { message: text });
  }

  /** Prints a result that is no list: a text, or a document for programs. */
  document(text: string, json: unknown): void {
    const { formatter = "table" } = this.#settings;
    if (formatter === "csv") throw new CommandError(exitCode.software, "This result is no list: it cannot be CSV");
    this.#write(this.isMachineReadable ? `${writeJson(json)}\n` : text);
  }

  /** Prints text as it is, whatever the format. */
  raw(text: string): void {
    this.#write(text);
  }

  get isMachineReadable(): boolean {
    return this.#settings.formatter !== undefined && isMachineReadable(this.#settings.formatter);
  }
}
