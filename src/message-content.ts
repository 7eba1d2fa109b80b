import { u64 } from "./bytes.ts";
import type { HashedProperty, RoutedContent } from "./exchange/routed-content.ts";
import type { FieldTable } from "./field-table.ts";
import { type Message, readShortString } from "./record.ts";
import { editRecord, findProperty } from "./record-edit.ts";
import { hidingBcc } from "./sender-selected.ts";

/** A message as exchanges look at it. */
export class MessageContent implements RoutedContent {
  readonly #message: Message;
  #headers: FieldTable | undefined;

  /** Headers are decoded when they are first asked for, unless they are given. */
  constructor(message: Message, headers?: FieldTable) {
    this.#message = message;
    this.#headers = headers;
  }

  headers(): FieldTable {
    this.#headers ??= this.#message.headers();
    return this.#headers;
  }

  property(name: HashedProperty): string | undefined {
    const bytes = findProperty(this.#message, name);
    if (bytes === undefined) return undefined;
    return name === "timestamp" ? String(u64(bytes, 0)) : readShortString(bytes, 0);
  }

  record(): Buffer {
    const hiding = hidingBcc(this.headers());
    return hiding === undefined ? this.#message.toRecord() : editRecord(this.#message, hiding);
  }
}
