import { command } from "../command.ts";

/** `environment`: the settings that the broker runs with. */
export const environmentCommand = command({
  name: "environment",
  group: "Status and health checks",
  summary: "prints the broker's settings but secrets, as environment variables that make the same settings",
  run: async ({ api, output }) => {
    const chunks: Buffer[] = [];
    const sink = { start: () => {}, write: (chunk: Buffer) => void chunks.push(chunk) };
    await api.request("GET", "/config/effective", { sink });
    output.raw(Buffer.concat(chunks).toString("utf8"));
  },
});
