import type { JSX } from "preact";
import { useState } from "preact/hooks";
import { confirmed } from "../components/dialog.tsx";
import { Choice, Field, Form } from "../components/form.tsx";
import { PageHead, Section } from "../components/page.tsx";
import { say } from "../components/toasts.tsx";
import { authorization, path, request } from "../lib/api.ts";
import { plural, singular } from "../lib/format.ts";
import { live, useLive } from "../lib/live.ts";
import { at, isRow, rowsOf, text } from "../lib/row.ts";

const kinds = ["users", "vhosts", "permissions", "topic_permissions", "policies", "exchanges", "queues", "bindings"];

/** Exports and imports what is defined, and fetches a backup. */
export function DefinitionsPage(): JSX.Element {
  const vhosts = rowsOf(useLive("/vhosts?columns=name").data).map((row) => text(row, "name"));
  const [vhost, setVhost] = useState("");
  const [file, setFile] = useState<File | undefined>(undefined);
  const choice = (
    <Choice
      label="Virtual host"
      value={vhost}
      onChange={setVhost}
      options={[["", "All of the broker"], ...vhosts.map((name) => [name, name] as const)]}
    />
  );
  const exported = async (): Promise<void> => {
    const definitions = await request("GET", vhost === "" ? "/definitions" : path`/definitions/${vhost}`);
    save(new Blob([`${JSON.stringify(definitions, null, 2)}\n`], { type: "application/json" }), "definitions.json");
  };
  const imported = async (): Promise<void> => {
    if (file === undefined) throw new Error("Choose a file first.");
    const content = await file.text();
    const body = (
      <>
        <p>{summaryOf(content)}</p>
        <p>
          What is there already and says something else is replaced, users and policies above all; nothing is deleted.
          All is taken in, or nothing.
        </p>
      </>
    );
    if (!(await confirmed({ title: "Import definitions?", body, action: "Import" }))) return;
    await request("POST", vhost === "" ? "/definitions" : path`/definitions/${vhost}`, content);
    say("done", "Imported.");
    live.refresh();
  };
  return (
    <>
      <PageHead title="Definitions" />
      <div class="columns">
        <Section title="Export">
          <Form action="Download definitions" onSubmit={exported}>
            <p class="dim">
              Users with their password hashes, virtual hosts, permissions, policies, exchanges, queues and bindings; no
              messages.
            </p>
            {choice}
          </Form>
        </Section>
        <Section title="Import">
          <Form action="Import…" onSubmit={imported}>
            {choice}
            <Field label="File">
              {(id) => (
                <input
                  id={id}
                  type="file"
                  accept="application/json,.json"
                  onChange={(event) => setFile(event.currentTarget.files?.[0])}
                />
              )}
            </Field>
          </Form>
        </Section>
        <Section title="Backup">
          <Form action="Download backup" onSubmit={backup}>
            <p class="dim">
              The data file as it is now: definitions and persistent messages. A broker starts on it when it is put into
              an empty data directory as tsbroker.db.
            </p>
          </Form>
        </Section>
      </div>
    </>
  );
}

function summaryOf(content: string): string {
  const definitions: unknown = JSON.parse(content);
  if (!isRow(definitions)) throw new Error("That is no file of definitions.");
  const found = kinds.flatMap((kind) => {
    const list = at(definitions, kind);
    return Array.isArray(list) && list.length > 0
      ? [plural(list.length, singular(kind).replace("_", " "), kind.replace("_", " "))]
      : [];
  });
  return `The file has ${found.length === 0 ? "nothing to import" : found.join(", ")}.`;
}

async function backup(): Promise<void> {
  const response = await fetch("api/backup", { method: "POST", headers: authorization(), credentials: "omit" });
  if (!response.ok)
    throw new Error(
      text(await response.json().catch(() => undefined), "reason") || `The broker answered ${response.status}.`,
    );
  save(await response.blob(), "tsbroker.db");
  say("done", "Downloaded the backup.");
}

function save(content: Blob, name: string): void {
  const link = document.createElement("a");
  link.href = URL.createObjectURL(content);
  link.download = name;
  link.click();
  URL.revokeObjectURL(link.href);
}
