import type { CommandOption } from "./command.ts";
import { ArgumentError } from "./command-error.ts";

/** An option with a whole number of no more than nine digits. */
export function wholeNumber(name: string, fallback: number, summary: string): CommandOption<number> {
  return {
    flags: `--${name} <number>`,
    summary: `${summary} (${fallback})`,
    read: (given) => {
      if (given === undefined) return fallback;
      if (typeof given === "string" && /^\d{1,9}$/.test(given)) return Number(given);
      throw new ArgumentError(`Invalid options for this command:\n--${name} : ${given}`);
    },
  };
}
