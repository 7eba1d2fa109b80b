import type { FieldTable, FieldValue } from "../field-table.ts";
import { erlangBinary } from "../record.ts";

/** A value as RabbitMQ's texts print it: `<<"text">>`, `1.0`, `[{signedint,1}]`. */
export function erlangTerm(field: FieldValue): string {
  switch (field.type) {
    case "longstr":
    case "binary":
      return text(field.value);
    case "bool":
      return String(field.value);
    case "void":
      return "undefined";
    case "decimal":
      return `{${field.scale},${field.value}}`;
    case "double":
    case "float":
      return float(field.value);
    case "array":
      return `[${field.value.map((item) => `{${item.type},${erlangTerm(item)}}`).join(",")}]`;
    case "table":
      return `[${entries(field.value).join(",")}]`;
    default:
      return String(field.value);
  }
}

function entries(table: FieldTable): string[] {
  return [...table].map(([name, value]) => `{${text(name)},${value.type},${erlangTerm(value)}}`);
}

function text(value: string | Buffer): string {
  if (typeof value !== "string") {
    const decoded = value.toString("utf8");
    return Buffer.from(decoded).equals(value) ? text(decoded) : erlangBinary(value);
  }
  if (value === "") return "<<>>";
  if (/\p{Cc}/u.test(value)) return erlangBinary(Buffer.from(value));
  const escaped = value.replaceAll("\\", "\\\\").replaceAll('"', '\\"');
  return /^[ -~]*$/.test(value) ? `<<"${escaped}">>` : `<<"${escaped}"/utf8>>`;
}

/** Erlang always writes the point: `2.0`, `1.0e30`. */
function float(value: number): string {
  const [mantissa = "", exponent] = String(value).replace("e+", "e").split("e");
  const point = mantissa.includes(".") ? mantissa : `${mantissa}.0`;
  return exponent === undefined ? point : `${point}e${exponent}`;
}
