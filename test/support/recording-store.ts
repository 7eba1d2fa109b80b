import { tableToJson } from "../../src/field-table.ts";
import type { Definition, DefinitionKey } from "../../src/store/store.ts";

/** The definitions half of a store, holding what would be on disk. */
export class RecordingStore {
  readonly #definitions = new Map<string, Definition>();

  define(definition: Definition): void {
    this.#definitions.set(keyOf(definition), definition);
  }

  undefine(definition: DefinitionKey): void {
    this.#definitions.delete(keyOf(definition));
  }

  get definitions(): Definition[] {
    return [...this.#definitions.values()];
  }
}

function keyOf(definition: DefinitionKey): string {
  switch (definition.kind) {
    case "permission":
      return JSON.stringify([definition.kind, definition.vhost, definition.user]);
    case "topic-permission":
      return JSON.stringify([definition.kind, definition.vhost, definition.user, definition.exchange]);
    case "policy":
      return JSON.stringify([definition.kind, definition.operator, definition.vhost, definition.name]);
    case "limit":
      return JSON.stringify([definition.kind, definition.scope, definition.subject, definition.name]);
    case "exchange":
    case "queue":
      return JSON.stringify([definition.kind, definition.vhost, definition.name]);
    case "binding": {
      const { kind, vhost, source, destinationKind, destination, routingKey } = definition;
      const args = tableToJson(definition.arguments);
      return JSON.stringify([kind, vhost, source, destinationKind, destination, routingKey, args]);
    }
    default:
      return JSON.stringify([definition.kind, definition.name]);
  }
}
