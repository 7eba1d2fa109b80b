import { readFileSync } from "node:fs";
import type { Definitions } from "./definition-export.ts";
import { importDefinitions } from "./definition-import.ts";
import { BrokerError } from "./errors.ts";
import { JsonObject } from "./json-object.ts";
import { InvalidPatternError } from "./patterns.ts";
import type { BindingDefinition } from "./store/store.ts";

/** A file of definitions cannot be used; the message says why. */
export class DefinitionFileError extends Error {
  override readonly name = "DefinitionFileError";
}

/** A file of definitions in RabbitMQ's JSON, to be taken in at a start. */
export class DefinitionFile {
  readonly #path: string;
  readonly #json: JsonObject;

  /** Reads the file. Throws {@link DefinitionFileError}. */
  constructor(path: string) {
    this.#path = path;
    this.#json = this.#inFile(() => JsonObject.parse(this.#read()));
  }

  /** Whether it has vhosts of its own. */
  get hasVhosts(): boolean {
    return this.#inFile(() => this.#json.objects("vhosts").length > 0);
  }

  /** Takes all of it in, or throws {@link DefinitionFileError}. Returns bindings that were left out for want of an end. */
  async importInto(definitions: Definitions): Promise<readonly BindingDefinition[]> {
    try {
      return await importDefinitions(definitions, this.#json);
    } catch (cause) {
      throw this.#fault(cause);
    }
  }

  #read(): string {
    try {
      return readFileSync(this.#path, "utf8");
    } catch (cause) {
      throw new DefinitionFileError(`definitions '${this.#path}' cannot be read: ${reasonOf(cause)}`, { cause });
    }
  }

  #inFile<T>(act: () => T): T {
    try {
      return act();
    } catch (cause) {
      throw this.#fault(cause);
    }
  }

  /** What is wrong in the file under the file's name, anything else as it is. */
  #fault(cause: unknown): unknown {
    if (!(cause instanceof BrokerError || cause instanceof InvalidPatternError)) return cause;
    const reason = cause instanceof BrokerError ? detailOf(cause) : cause.message;
    return new DefinitionFileError(`definitions '${this.#path}' cannot be used: ${reason}`, { cause });
  }
}

/** What is wrong; of text that is no JSON where it stops to be JSON. */
function detailOf({ detail, cause }: BrokerError): string {
  return cause instanceof SyntaxError ? `it is no JSON: ${cause.message}` : detail;
}

function reasonOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
