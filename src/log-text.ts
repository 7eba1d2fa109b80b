/** How lines of the log look: JSON for programs, text for people, or what suits where they go. */
export type LogFormat = "json" | "plaintext" | "auto";

const colours: Readonly<Record<string, number>> = { fatal: 31, error: 31, warn: 33, info: 32, debug: 90, trace: 90 };
/** What is said at the start of a line, and not again among the fields. */
const leading = new Set(["level", "time", "msg", "area", "err"]);

/** A line of JSON as a person reads it: `00:18:05.123 INFO connection: connection open  user=guest`, with the date if wanted. */
export function logText(line: string, hasColours: boolean, hasDate = false): string {
  const fields = fieldsOf(line);
  if (fields === undefined) return line;
  const { level, time, msg, area } = fields;
  const colour = colours[String(level)] ?? 0;
  const word = String(level).toUpperCase().padEnd(5);
  const paint = (code: number, text: string) => (hasColours ? `\u001b[${code}m${text}\u001b[0m` : text);
  const rest = Object.entries(fields)
    .filter(([name, value]) => !leading.has(name) && value !== undefined)
    .map(([name, value]) => `${paint(90, `${name}=`)}${valueText(value)}`);
  const said = area === undefined ? String(msg) : `${String(area)}: ${String(msg)}`;
  const stack = stackOf(fields["err"]);
  const when = hasDate ? String(time) : String(time).slice(11, 23);
  const text = [when, paint(colour, word), safe(said), ...rest].join(" ");
  return `${text}\n${stack === "" ? "" : `${stack}\n`}`;
}

function fieldsOf(line: string): Readonly<Record<string, unknown>> | undefined {
  try {
    const fields: unknown = JSON.parse(line);
    return typeof fields === "object" && fields !== null ? { ...fields } : undefined;
  } catch {
    // What a dependency prints is shown as it is.
    return undefined;
  }
}

function valueText(value: unknown): string {
  const text = typeof value === "string" ? value : JSON.stringify(value);
  return safe(/^[^\s"=]+$/.test(text) ? text : JSON.stringify(text));
}

function stackOf(error: unknown): string {
  if (typeof error !== "object" || error === null || !("stack" in error)) return "";
  return String(error.stack)
    .split("\n")
    .map((row) => `    ${safe(row.trim())}`)
    .join("\n");
}

/** Names come from clients: none may move the cursor of who reads them. */
function safe(text: string): string {
  return text.replaceAll(/\p{Cc}/gu, (character) => `\\x${character.charCodeAt(0).toString(16).padStart(2, "0")}`);
}
