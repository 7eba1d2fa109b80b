/** A setting that cannot be used; the message names where it came from and what would be allowed. */
export class ConfigError extends Error {
  override readonly name = "ConfigError";
}

/** One `key = value` of a configuration file, its key cut at the dots. */
export interface ConfigLine {
  readonly number: number;
  readonly key: readonly string[];
  readonly value: string;
}

const linePattern = /^(?<key>[^\s=#]+)\s*=\s*(?<value>.*)$/;
const quotedPattern = /^'(?<text>[^']*)'\s*(?:#.*)?$/;

/**
 * Reads a file in the format of rabbitmq.conf: one `key = value` a line, `#` starts a comment, quotes `'...'` keep a `#`
 * in a value, `\.` is a dot inside a word of a key, and `$(NAME)` stands for an environment variable.
 */
export function parseConfigFile(text: string, env: Readonly<Record<string, string | undefined>>): ConfigLine[] {
  const lines: ConfigLine[] = [];
  for (const [index, raw] of text.split("\n").entries()) {
    const line = raw.trim(); // takes off a CR, and a byte-order mark
    if (line === "" || line.startsWith("#")) continue;
    const number = index + 1;
    const { key, value } = linePattern.exec(line)?.groups ?? {};
    if (key === undefined || value === undefined) throw new ConfigError(`line ${number}: expected 'key = value'`);
    lines.push({ number, key: wordsOf(key), value: readable(substitute(valueIn(value, number), number, env), number) });
  }
  return lines;
}

/** The key as it is written, its words joined again. */
export function keyText(key: readonly string[]): string {
  return key.map((word) => word.replaceAll(".", "\\.")).join(".");
}

/** True when the key fits a pattern such as `listeners.tcp.$name`, or `mqtt.*` for all that begins so. */
export function hasKey(pattern: string, key: readonly string[]): boolean {
  const words = pattern.split(".");
  const isOpen = pattern.endsWith("*");
  if (isOpen ? key.length < words.length : key.length !== words.length) return false;
  return words.every((word, i) => fits(word, key[i] ?? ""));
}

function fits(word: string, given: string): boolean {
  if (word.endsWith("*")) return given.startsWith(word.slice(0, -1));
  return word.startsWith("$") || word === given;
}

function wordsOf(key: string): string[] {
  return key.split(/(?<!\\)\./).map((word) => word.replaceAll("\\.", "."));
}

function valueIn(text: string, number: number): string {
  const quoted = quotedPattern.exec(text)?.groups?.["text"];
  if (quoted !== undefined) return quoted;
  const value = (text.split("#")[0] ?? "").trim();
  if (value === "") throw new ConfigError(`line ${number}: there is no value`);
  if (value.startsWith("'")) throw new ConfigError(`line ${number}: the quote is not closed`);
  return value;
}

/** A secret that cannot be read must not be taken for the secret. */
function readable(value: string, number: number): string {
  if (!value.startsWith("encrypted:")) return value;
  throw new ConfigError(
    `line ${number}: encrypted values cannot be read here; give secrets as $(NAME) of the environment`,
  );
}

function substitute(value: string, number: number, env: Readonly<Record<string, string | undefined>>): string {
  return value.replaceAll(/\$\(([^)]*)\)/g, (_match, name: string) => {
    const found = env[name];
    if (found === undefined) throw new ConfigError(`line ${number}: the environment has no ${name}`);
    return found;
  });
}
