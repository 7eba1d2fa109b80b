import type { Config } from "../src/config.ts";
import type { LogConsoleConfig } from "../src/config-log.ts";
import { type LogOutput, standardStream } from "../src/log.ts";
import type { LogFileConfig } from "../src/log-options.ts";

/** The places that the log goes to. Throws LogFileError when there is a file that cannot be written. */
export async function logOutputs({ log: { console, file } }: Config): Promise<readonly LogOutput[]> {
  const found = [console && onStream(console), file && inFile(file)];
  return (await Promise.all(found)).filter((output) => output !== undefined);
}

async function onStream({ to, level, format }: LogConsoleConfig): Promise<LogOutput> {
  const destination = standardStream(process[to].fd);
  const { isTTY } = process[to];
  const isJson = format === "json" || (format === "auto" && !isTTY);
  const render = isJson ? asJson : await asText(isTTY && process.env["NO_COLOR"] === undefined);
  return { name: `<${to}>`, level, write: (line) => destination.write(render(line)) };
}

async function inFile({ path, level, format }: LogFileConfig): Promise<LogOutput> {
  const { LogFile } = await import("../src/log-file.ts");
  const file = new LogFile(path, (trouble) => process.stderr.write(`${trouble}\n`));
  const render = format === "json" ? asJson : await asText(false, true);
  return { name: path, level, write: (line) => file.write(render(line)), reopen: () => file.reopen() };
}

function asJson(line: string): string {
  return line;
}

/** What makes text of lines is loaded for people only. */
async function asText(hasColours: boolean, hasDate = false): Promise<(line: string) => string> {
  const { logText } = await import("../src/log-text.ts");
  return (line) => logText(line, hasColours, hasDate);
}
