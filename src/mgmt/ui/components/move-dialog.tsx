import type { JSX } from "preact";
import { useState } from "preact/hooks";
import { path, request } from "../lib/api.ts";
import { plural } from "../lib/format.ts";
import { type Filter, filterFields } from "../lib/message-filter.ts";
import { number } from "../lib/row.ts";
import { Dialog } from "./dialog.tsx";
import { Form, TextField } from "./form.tsx";
import { say } from "./toasts.tsx";

/** Moves one message, or all that fit a filter, to a queue or through an exchange. */
export function MoveDialog(props: {
  readonly vhost: string;
  readonly queue: string;
  readonly id?: string;
  readonly filter?: Filter;
  readonly onClose: () => void;
  readonly onDone: () => void;
}): JSX.Element {
  const { vhost, queue, id, filter, onClose, onDone } = props;
  const [exchange, setExchange] = useState("");
  const [key, setKey] = useState("");
  const move = async (): Promise<void> => {
    const to =
      id === undefined
        ? path`/queues/${vhost}/${queue}/messages/move`
        : path`/queues/${vhost}/${queue}/messages/${id}/move`;
    const answer = await request("POST", to, {
      ...(filter !== undefined && filterFields(filter)),
      exchange,
      ...(key !== "" && { routing_key: key }),
    });
    sayMoved(answer);
    onDone();
    onClose();
  };
  return (
    <Dialog title={id === undefined ? "Move all that fit" : "Move this message"} onClose={onClose}>
      <Form action="Move" onSubmit={move} onCancel={onClose}>
        <p class="dim">A message is in its new place or in its old one, never in both or none.</p>
        <TextField
          label="Through exchange"
          placeholder="(default)"
          value={exchange}
          onChange={setExchange}
          hint="Empty: straight to the queue named below."
        />
        <TextField
          label={exchange === "" ? "To queue" : "Routing key"}
          value={key}
          onChange={setKey}
          required={exchange === ""}
          hint={exchange === "" ? undefined : "Empty: each with its own key."}
        />
      </Form>
    </Dialog>
  );
}

/** Tells what became of messages that were moved, and what did not. */
export function sayMoved(answer: unknown): void {
  const [moved, unroutable, rejected] = [
    number(answer, "moved"),
    number(answer, "unroutable"),
    number(answer, "rejected"),
  ];
  if (unroutable + rejected === 0) say("done", `Moved ${plural(moved, "message")}.`);
  else
    say(
      "failed",
      `Moved ${plural(moved, "message")}; ${unroutable} had nowhere to go and ${rejected} were rejected: they are where they were.`,
    );
}
