import type { JSX } from "preact";
import { useState } from "preact/hooks";
import { path, request } from "../lib/api.ts";
import { plural } from "../lib/format.ts";
import { ExchangeLink, QueueLink, shownExchange } from "../lib/links.tsx";
import { flag, type Row, rowsOf, text, texts } from "../lib/row.ts";
import { type Argument, ArgumentsEditor, argumentsFrom } from "./arguments.tsx";
import { Form, TextField } from "./form.tsx";
import { Empty } from "./page.tsx";

/** Asks where a message would go that is never sent. */
export function RouteFinder(props: {
  readonly vhost: string;
  readonly exchange: string;
  readonly onFound?: (answer: unknown) => void;
}): JSX.Element {
  const { vhost, exchange, onFound } = props;
  const [key, setKey] = useState("");
  const [headers, setHeaders] = useState<readonly Argument[]>([]);
  const [answer, setAnswer] = useState<unknown>(undefined);
  const find = async (): Promise<void> => {
    const query = new URLSearchParams({ routing_key: key, headers: JSON.stringify(argumentsFrom(headers)) });
    const found = await request("GET", `${path`/exchanges/${vhost}/${shownExchange(exchange)}/route`}?${query}`);
    setAnswer(found);
    onFound?.(found);
  };
  return (
    <>
      <Form action="Find out" onSubmit={find}>
        <TextField label="Routing key" value={key} onChange={setKey} hint="Nothing is published." />
        <ArgumentsEditor label="Headers" value={headers} onChange={setHeaders} />
      </Form>
      {answer !== undefined && <RouteAnswer vhost={vhost} answer={answer} />}
    </>
  );
}

function RouteAnswer({ vhost, answer }: { vhost: string; answer: unknown }): JSX.Element {
  const queues = texts(answer, "queues");
  return (
    <div class="route" role="status">
      {queues.length === 0 && !flag(answer, "delayed") ? (
        <Empty>Nowhere: it would be dropped, or returned to a publisher that asked for that.</Empty>
      ) : (
        <p>
          {flag(answer, "delayed") && <>It would wait in the exchange first, then go </>}
          {!flag(answer, "delayed") && <>It would go </>}to {plural(queues.length, "queue")}:{" "}
          {queues.map((name, index) => (
            <span key={name}>
              {index > 0 && ", "}
              <QueueLink vhost={vhost} name={name} />
            </span>
          ))}
        </p>
      )}
      <ol>
        {rowsOf(Object(answer)["steps"]).map((step) => (
          <Step
            key={`${text(step, "exchange")}>${text(step, "destination")}>${text(step, "routing_key")}`}
            vhost={vhost}
            step={step}
          />
        ))}
      </ol>
    </div>
  );
}

function Step({ vhost, step }: { vhost: string; step: Row }): JSX.Element {
  const via = text(step, "via");
  const destination = text(step, "destination");
  return (
    <li>
      <ExchangeLink vhost={vhost} name={text(step, "exchange")} /> →{" "}
      {text(step, "destination_type") === "queue" ? (
        <QueueLink vhost={vhost} name={destination} />
      ) : (
        <ExchangeLink vhost={vhost} name={destination} />
      )}{" "}
      <span class="dim">
        {via === "binding" ? (
          <>
            by binding <code>{text(step, "routing_key")}</code>
          </>
        ) : (
          via
        )}
      </span>
    </li>
  );
}
