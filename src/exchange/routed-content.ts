import type { FieldTable } from "../field-table.ts";

/** Properties that x-consistent-hash may look at. */
export type HashedProperty = "messageId" | "correlationId" | "timestamp";

/** What exchanges may look at of a message besides its routing key. */
export interface RoutedContent {
  headers(): FieldTable;
  /** A property as text; undefined when absent. */
  property(name: HashedProperty): string | undefined;
  /** The message as a record of its own, as consumers will get it. */
  record(): Buffer;
}
