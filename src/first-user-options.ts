import type { ConfigLine } from "./config-file.ts";
import { type Option, text } from "./option-types.ts";

/** What the user gets who is made at the first start. */
export interface FirstUserConfig {
  readonly tags: readonly string[];
  readonly configure: string;
  readonly write: string;
  readonly read: string;
}

function pattern(access: "configure" | "write" | "read") {
  return {
    takes: "<pattern>",
    help: `what the first user may ${access}`,
    ...text("a regular expression"),
    fallback: () => ".*",
    keys: [`default_permissions.${access}`],
  } satisfies Option<string>;
}

/** The settings of the first user besides name and password. */
export const firstUserOptions = {
  defaultUserTags: {
    takes: "<names>",
    help: "tags of the user made at the first start, separated by commas",
    ...text("tags separated by commas"),
    parse: (given: string) =>
      given
        .split(",")
        .map((tag) => tag.trim())
        .filter((tag) => tag !== ""),
    fallback: (): readonly string[] => ["administrator"],
    keys: ["default_user_tags.$name"],
    read: (lines: readonly ConfigLine[]) =>
      lines
        .filter(({ value }) => value === "true")
        .map(({ key }) => key[1])
        .join(","),
  } satisfies Option<readonly string[]>,
  defaultPermissionsConfigure: pattern("configure"),
  defaultPermissionsWrite: pattern("write"),
  defaultPermissionsRead: pattern("read"),
} as const;
