import type { JSX } from "preact";
import { useState } from "preact/hooks";
import { path, request } from "../lib/api.ts";
import { bytes, moment } from "../lib/format.ts";
import { bytesOf, hexDump, isCut, prettyJson } from "../lib/payload.ts";
import { at, isRow, number, type Row, text } from "../lib/row.ts";
import { confirmed } from "./dialog.tsx";
import { MoveDialog } from "./move-dialog.tsx";
import { Facts, Value } from "./page.tsx";
import { act } from "./toasts.tsx";

/** A message with all that is known of it. */
export function MessageView(props: {
  readonly vhost: string;
  readonly queue: string;
  readonly message: Row;
  readonly onChanged: () => void;
}): JSX.Element {
  const { vhost, queue, message, onChanged } = props;
  const [isMoving, setMoving] = useState(false);
  const id = text(message, "id");
  const isUnacked = text(message, "state") === "unacked";
  const remove = async (): Promise<void> => {
    const body = (
      <p>This message of {bytes(number(message, "payload_bytes"))} will be destroyed. That cannot be undone.</p>
    );
    if (!(await confirmed({ title: "Delete this message?", body, action: "Delete message" }))) return;
    if (await act("Deleted the message.", () => request("DELETE", path`/queues/${vhost}/${queue}/messages/${id}`)))
      onChanged();
  };
  return (
    <div class="message">
      <Facts
        of={[
          ["Exchange", text(message, "exchange") || "(default)"],
          ["Routing key", text(message, "routing_key")],
          ["Id here", id],
          ["Expires", moment(number(message, "expires_at"))],
          ...propertiesOf(message),
        ]}
      />
      <Headers of={at(message, "properties.headers")} />
      <Body message={message} />
      <div class="toolbar">
        {isUnacked && <span class="dim">A consumer has it: it can be moved or deleted once it is back.</span>}
        <button type="button" disabled={isUnacked} onClick={() => setMoving(true)}>
          Move…
        </button>
        <button type="button" class="danger" disabled={isUnacked} onClick={() => void remove()}>
          Delete…
        </button>
      </div>
      {isMoving && (
        <MoveDialog vhost={vhost} queue={queue} id={id} onClose={() => setMoving(false)} onDone={onChanged} />
      )}
    </div>
  );
}

function propertiesOf(message: Row): (readonly [string, JSX.Element])[] {
  const properties = at(message, "properties");
  if (!isRow(properties)) return [];
  const plain = Object.entries(properties).filter(([name]) => name !== "headers");
  return plain.map(([name, value]) => [name.replaceAll("_", " "), <Value key={name} of={value} />]);
}

function Headers({ of }: { of: unknown }): JSX.Element | null {
  if (!isRow(of)) return null;
  return (
    <div>
      <h3>Headers</h3>
      <Value of={of} />
    </div>
  );
}

function Body({ message }: { message: Row }): JSX.Element {
  const json = prettyJson(message);
  const isText = text(message, "payload_encoding") === "string";
  const [chosen, setChosen] = useState(json !== undefined ? "JSON" : isText ? "Text" : "Hex");
  const views = [...(json === undefined ? [] : ["JSON"]), ...(isText ? ["Text"] : []), "Hex"];
  const shown = chosen === "JSON" ? json : chosen === "Text" ? text(message, "payload") : hexDump(bytesOf(message));
  return (
    <div class="body">
      <fieldset class="segmented" aria-label="How to show the body">
        {views.map((view) => (
          <button key={view} type="button" aria-pressed={view === chosen} onClick={() => setChosen(view)}>
            {view}
          </button>
        ))}
      </fieldset>
      <pre>{shown === "" ? "(empty)" : shown}</pre>
      {isCut(message) && (
        <small class="dim">
          Only the first {bytes(bytesOf(message).length)} of {bytes(number(message, "payload_bytes"))} are shown.
        </small>
      )}
    </div>
  );
}
