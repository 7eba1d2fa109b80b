import type { JSX } from "preact";
import { confirmed } from "../components/dialog.tsx";
import { act } from "../components/toasts.tsx";
import { path, request } from "./api.ts";
import { plural } from "./format.ts";
import { number, type Row, text } from "./row.ts";

/** From how many messages on the name of the queue has to be typed. */
const manyMessages = 1000;
const namesShown = 10;

function Names({ of }: { of: readonly Row[] }): JSX.Element {
  return (
    <ul class="names">
      {of.slice(0, namesShown).map((row) => (
        <li key={`${text(row, "vhost")} ${text(row, "name")}`}>
          <b>{text(row, "name")}</b> in {text(row, "vhost")}: {plural(number(row, "messages"), "message")}
        </li>
      ))}
      {of.length > namesShown && <li>and {of.length - namesShown} more</li>}
    </ul>
  );
}

function typedFor(rows: readonly Row[], messages: number): string | undefined {
  if (messages < manyMessages) return undefined;
  return rows.length === 1 ? text(rows[0], "name") : String(messages);
}

/** Drops what is ready in queues, once that is confirmed. True when it was done. */
export async function purgeQueues(rows: readonly Row[]): Promise<boolean> {
  const ready = rows.reduce((sum, row) => sum + number(row, "messages_ready"), 0);
  const title = rows.length === 1 ? `Purge queue ${text(rows[0], "name")}?` : `Purge ${rows.length} queues?`;
  const body = (
    <>
      <p>
        <b>{plural(ready, "ready message")}</b> will be destroyed, and cannot be brought back. Unacked messages stay
        with their consumers.
      </p>
      <Names of={rows} />
    </>
  );
  if (!(await confirmed({ title, body, action: `Destroy ${plural(ready, "message")}`, typed: typedFor(rows, ready) })))
    return false;
  return act(`Purged ${plural(rows.length, "queue")}.`, async () => {
    for (const row of rows) await request("DELETE", path`/queues/${text(row, "vhost")}/${text(row, "name")}/contents`);
  });
}

/** Deletes queues with what is in them, once that is confirmed. True when it was done. */
export async function deleteQueues(rows: readonly Row[]): Promise<boolean> {
  const messages = rows.reduce((sum, row) => sum + number(row, "messages"), 0);
  const consumers = rows.reduce((sum, row) => sum + number(row, "consumers"), 0);
  const title = rows.length === 1 ? `Delete queue ${text(rows[0], "name")}?` : `Delete ${rows.length} queues?`;
  const body = (
    <>
      <p>
        <b>{plural(messages, "message")}</b> and all bindings will be destroyed; {plural(consumers, "consumer")} will be
        cancelled. This cannot be undone.
      </p>
      <Names of={rows} />
    </>
  );
  const action = rows.length === 1 ? "Delete queue" : `Delete ${rows.length} queues`;
  if (!(await confirmed({ title, body, action, typed: typedFor(rows, messages) }))) return false;
  return act(`Deleted ${plural(rows.length, "queue")}.`, async () => {
    for (const row of rows) await request("DELETE", path`/queues/${text(row, "vhost")}/${text(row, "name")}`);
  });
}
