import { spawnSync } from "node:child_process";
import { readFileSync, writeFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { brokerctlProgram } from "../../bin/brokerctl-program.ts";
import { groups } from "../../bin/command.ts";
import { startCommand } from "../../bin/commands/start.ts";
import { newProgram } from "../../bin/program.ts";
import { inertEffects } from "../support/brokerctl.ts";
import { manPage } from "../support/man-page.ts";
import { groff } from "../support/programs.ts";

const seeAlso = (other: string) => `${other}(1). Everything else is at https://www.npmjs.com/package/tsbroker.`;

function brokerctlPage(): string {
  const program = brokerctlProgram("brokerctl", inertEffects);
  const help = program.createHelp();
  const commands = help.visibleCommands(program);
  const sections = groups.map((title) => ({
    title,
    commands: commands.filter((command) => command.helpGroup() === `${title}:`),
  }));
  const environment = "TSBROKER_URL, TSBROKER_USER and TSBROKER_PASSWORD stand for the options of the same names.";
  return manPage(program, { sections, more: { ENVIRONMENT: environment, "SEE ALSO": seeAlso("tsbroker") } });
}

function tsbrokerPage(): string {
  const program = newProgram("tsbroker", "An AMQP 0-9-1 message broker: a drop-in replacement for RabbitMQ");
  const start = startCommand();
  program.addCommand(start);
  const files =
    "A configuration file is in the format of rabbitmq.conf. A flag counts more than its variable, that more than a file.";
  const signals =
    "SIGTERM and SIGINT stop the broker, SIGHUP has its configuration and certificates read again, and the log's file opened.";
  return manPage(program, {
    sections: [{ title: "Commands", commands: [start] }],
    more: {
      FILES: files,
      SIGNALS: signals,
      "EXIT STATUS": "0 after a signal, 1 when the broker cannot start, 2 when a setting cannot be used.",
      "SEE ALSO": seeAlso("brokerctl"),
    },
  });
}

/** `UPDATE_DOCS=1 npx vitest run test/packaging/man-pages.test.ts` writes them. */
const pages = { "man/tsbroker.1": tsbrokerPage, "man/brokerctl.1": brokerctlPage };

describe.each(Object.entries(pages))("the manual page %s", (file, page) => {
  it("says what the commands say", () => {
    if (process.env["UPDATE_DOCS"] === "1") writeFileSync(file, page());
    expect(readFileSync(file, "utf8")).toBe(page());
  });

  it.skipIf(groff().command === undefined)("is a page that man can show", () => {
    const { stdout, stderr } = spawnSync("groff", ["-man", "-ww", "-Tutf8", "-P-cbou", file], { encoding: "utf8" });
    expect(stderr).toBe("");
    expect(stdout).toContain("SYNOPSIS");
  });
});
