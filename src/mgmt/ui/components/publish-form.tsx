import type { JSX } from "preact";
import { useState } from "preact/hooks";
import { path, request } from "../lib/api.ts";
import { shownExchange } from "../lib/links.tsx";
import { live } from "../lib/live.ts";
import { flag } from "../lib/row.ts";
import { type Argument, ArgumentsEditor, argumentsFrom, type KnownArgument } from "./arguments.tsx";
import { Choice, Form, TextArea, TextField, Tick } from "./form.tsx";
import { say } from "./toasts.tsx";

const properties: readonly KnownArgument[] = [
  ["content_type", "Content type", "String", "application/json"],
  ["correlation_id", "Correlation id", "String"],
  ["reply_to", "Reply to", "String"],
  ["expiration", "Expiration", "String", "60000"],
  ["message_id", "Message id", "String"],
  ["priority", "Priority", "Number", "1"],
  ["type", "Type", "String"],
  ["timestamp", "Timestamp", "Number"],
  ["app_id", "App id", "String"],
  ["user_id", "User id", "String"],
];

/** Publishes a message to an exchange, and tells whether it went anywhere. */
export function PublishForm(props: {
  readonly vhost: string;
  readonly exchange: string;
  /** Where there is but one key that makes sense. */
  readonly routingKey?: string;
}): JSX.Element {
  const { vhost, exchange } = props;
  const [key, setKey] = useState(props.routingKey ?? "");
  const [isPersistent, setPersistent] = useState(true);
  const [headers, setHeaders] = useState<readonly Argument[]>([]);
  const [given, setGiven] = useState<readonly Argument[]>([]);
  const [payload, setPayload] = useState("");
  const [encoding, setEncoding] = useState("string");
  const publish = async (): Promise<void> => {
    const answer = await request("POST", path`/exchanges/${vhost}/${shownExchange(exchange)}/publish`, {
      routing_key: key,
      properties: {
        delivery_mode: isPersistent ? 2 : 1,
        ...argumentsFrom(given),
        ...(headers.length > 0 && { headers: argumentsFrom(headers) }),
      },
      payload,
      payload_encoding: encoding,
    });
    if (flag(answer, "routed")) say("done", "Published.");
    else say("failed", "The message went nowhere: no queue is bound for this routing key and these headers.");
    live.refresh();
  };
  return (
    <Form action="Publish message" onSubmit={publish}>
      {props.routingKey === undefined && <TextField label="Routing key" value={key} onChange={setKey} />}
      <TextArea label="Payload" value={payload} onChange={setPayload} />
      <div class="row">
        <Choice
          label="Payload encoding"
          value={encoding}
          onChange={setEncoding}
          options={[
            ["string", "text"],
            ["base64", "base64"],
          ]}
        />
        <Tick
          label="Persistent"
          hint="survives a restart in a durable queue"
          value={isPersistent}
          onChange={setPersistent}
        />
      </div>
      <ArgumentsEditor label="Headers" value={headers} onChange={setHeaders} />
      <ArgumentsEditor label="Properties" value={given} onChange={setGiven} known={properties} />
    </Form>
  );
}
