import type { JSX } from "preact";
import { useState } from "preact/hooks";
import { path, request } from "../lib/api.ts";
import { live } from "../lib/live.ts";
import { type Argument, ArgumentsEditor, argumentsFrom, type KnownArgument } from "./arguments.tsx";
import { Dialog } from "./dialog.tsx";
import { Choice, Form, TextField, Tick } from "./form.tsx";
import { say } from "./toasts.tsx";
import { firstVhost, VhostField } from "./vhost-field.tsx";

const common: readonly KnownArgument[] = [
  ["x-message-ttl", "Message TTL", "Number", "60000"],
  ["x-expires", "Auto expire", "Number", "1800000"],
  ["x-max-length", "Max length", "Number", "100000"],
  ["x-max-length-bytes", "Max length bytes", "Number"],
  ["x-overflow", "Overflow behaviour", "String", "reject-publish"],
  ["x-dead-letter-exchange", "Dead letter exchange", "String"],
  ["x-dead-letter-routing-key", "Dead letter routing key", "String"],
  ["x-single-active-consumer", "Single active consumer", "Boolean", "true"],
];

const byType: Readonly<Record<string, readonly KnownArgument[]>> = {
  classic: [...common, ["x-max-priority", "Maximum priority", "Number", "10"]],
  quorum: [
    ...common,
    ["x-delivery-limit", "Delivery limit", "Number", "20"],
    ["x-dead-letter-strategy", "Dead letter strategy", "String", "at-least-once"],
  ],
};

/** Declares a queue. Whatever is changed here, the rest that was entered stays. */
export function AddQueue({ onClose }: { readonly onClose: () => void }): JSX.Element {
  const [vhost, setVhost] = useState(firstVhost);
  const [name, setName] = useState("");
  const [type, setType] = useState("classic");
  const [isDurable, setDurable] = useState(true);
  const [deletesItself, setDeletesItself] = useState(false);
  const [args, setArgs] = useState<readonly Argument[]>([]);
  const add = async (): Promise<void> => {
    await request("PUT", path`/queues/${vhost}/${name}`, {
      durable: isDurable,
      auto_delete: deletesItself,
      arguments: { ...argumentsFrom(args), "x-queue-type": type },
    });
    say("done", `Queue ${name} is there.`);
    live.refresh();
    onClose();
  };
  return (
    <Dialog title="Add a queue" onClose={onClose} wide>
      <Form action="Add queue" onSubmit={add} onCancel={onClose}>
        <div class="row">
          <VhostField value={vhost} onChange={setVhost} />
          <TextField label="Name" value={name} onChange={setName} required />
          <Choice label="Type" value={type} onChange={setType} options={Object.keys(byType)} />
        </div>
        <div class="row ticks">
          <Tick label="Durable" hint="outlives a restart" value={isDurable} onChange={setDurable} />
          <Tick
            label="Auto delete"
            hint="goes with its last consumer"
            value={deletesItself}
            onChange={setDeletesItself}
          />
        </div>
        <ArgumentsEditor label="Arguments" value={args} onChange={setArgs} known={byType[type] ?? common} />
      </Form>
    </Dialog>
  );
}
