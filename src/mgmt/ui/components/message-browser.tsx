import type { JSX } from "preact";
import { useEffect, useState } from "preact/hooks";
import { ApiError, path, request } from "../lib/api.ts";
import { bytes, count, plural } from "../lib/format.ts";
import { live } from "../lib/live.ts";
import { everything, type Filter, filterFields } from "../lib/message-filter.ts";
import { at, flag, number, type Row, rowsOf, text } from "../lib/row.ts";
import { confirmed } from "./dialog.tsx";
import { Form, TextField } from "./form.tsx";
import { MessageView } from "./message-view.tsx";
import { MoveDialog } from "./move-dialog.tsx";
import { Badge, Empty, Failure, Section } from "./page.tsx";
import { ReplayDialog } from "./replay-dialog.tsx";
import { act } from "./toasts.tsx";

const pageSize = 50;

/** Looks into a queue without touching it; finds, deletes, moves and replays messages. */
export function MessageBrowser({ vhost, queue }: { readonly vhost: string; readonly queue: string }): JSX.Element {
  const [filter, setFilter] = useState(everything);
  const [offsets, setOffsets] = useState<readonly number[]>([0]);
  const [opened, setOpened] = useState("");
  const [dialog, setDialog] = useState<"move" | "replay" | undefined>(undefined);
  const { answer, error, reload } = usePage(vhost, queue, filter, offsets.at(-1) ?? 0);
  const isFiltered = Object.keys(filterFields(filter)).length > 0;
  const items = rowsOf(answer);
  const next = at(answer, "next_offset");
  const changed = (): void => {
    live.refresh();
    reload();
  };
  const find = (wanted: Filter): void => {
    setFilter(wanted);
    setOffsets([0]);
    reload();
  };
  return (
    <Section
      title="Messages"
      actions={
        <>
          <button type="button" onClick={reload}>
            Look again
          </button>
          <button type="button" onClick={() => setDialog("replay")}>
            Replay dead letters…
          </button>
        </>
      }
    >
      <p class="dim">
        Messages are shown where they are, in the order of delivery. Looking takes none of them out, changes no order,
        and marks nothing as redelivered.
      </p>
      <FilterForm onFind={find} />
      {isFiltered && items.length > 0 && (
        <div class="toolbar">
          <span>Everything that fits, on every page:</span>
          <button type="button" onClick={() => setDialog("move")}>
            Move all that fit…
          </button>
          <button
            type="button"
            class="danger"
            onClick={() => void deleteAll(vhost, queue, filter).then((done) => done && changed())}
          >
            Delete all that fit…
          </button>
        </div>
      )}
      {error !== undefined && <Failure error={error} />}
      {answer !== undefined && items.length === 0 && (
        <Empty>
          {isFiltered
            ? typeof next === "number"
              ? "None here; there is more of the queue to search."
              : "No message fits."
            : "The queue is empty."}
        </Empty>
      )}
      <ol class="messages">
        {items.map((message) => {
          const id = text(message, "id");
          return (
            <li key={id}>
              <MessageLine
                message={message}
                isOpen={opened === id}
                onToggle={() => setOpened(opened === id ? "" : id)}
              />
              {opened === id && <MessageView vhost={vhost} queue={queue} message={message} onChanged={changed} />}
            </li>
          );
        })}
      </ol>
      <div class="toolbar">
        <button type="button" disabled={offsets.length < 2} onClick={() => setOffsets(offsets.slice(0, -1))}>
          ← Back
        </button>
        <span class="dim">from place {count(offsets.at(-1) ?? 0)}</span>
        <button
          type="button"
          disabled={typeof next !== "number"}
          onClick={() => typeof next === "number" && setOffsets([...offsets, next])}
        >
          Further →
        </button>
      </div>
      {dialog === "move" && (
        <MoveDialog vhost={vhost} queue={queue} filter={filter} onClose={() => setDialog(undefined)} onDone={changed} />
      )}
      {dialog === "replay" && (
        <ReplayDialog
          vhost={vhost}
          queue={queue}
          filter={filter}
          onClose={() => setDialog(undefined)}
          onDone={changed}
        />
      )}
    </Section>
  );
}

function usePage(vhost: string, queue: string, filter: Filter, offset: number) {
  const [answer, setAnswer] = useState<unknown>(undefined);
  const [error, setError] = useState<ApiError | undefined>(undefined);
  const [turn, setTurn] = useState(0);
  useEffect(() => {
    let isCurrent = true;
    const query = new URLSearchParams({
      ...filterFields(filter),
      offset: String(offset),
      limit: String(pageSize),
      truncate: "4096",
    });
    request("GET", `${path`/queues/${vhost}/${queue}/messages`}?${query}`).then(
      (page) => {
        if (!isCurrent) return;
        setAnswer(page);
        setError(undefined);
      },
      (reason: unknown) => {
        if (isCurrent) setError(reason instanceof ApiError ? reason : new ApiError(String(reason), { status: 0 }));
      },
    );
    return () => {
      isCurrent = false;
    };
  }, [vhost, queue, filter, offset, turn]);
  return { answer, error, reload: () => setTurn((before) => before + 1) };
}

function FilterForm({ onFind }: { onFind: (filter: Filter) => void }): JSX.Element {
  const [filter, setFilter] = useState(everything);
  const find = async (): Promise<void> => onFind(filter);
  return (
    <div class="find">
      <Form action="Find" onSubmit={find}>
        <div class="row">
          <TextField
            label="Header"
            placeholder="tenant or tenant=acme"
            value={filter.header}
            onChange={(header) => setFilter({ ...filter, header })}
          />
          <TextField
            label="Property"
            placeholder="type=invoice"
            value={filter.property}
            onChange={(property) => setFilter({ ...filter, property })}
            options={[
              "routing_key=",
              "exchange=",
              "content_type=",
              "correlation_id=",
              "message_id=",
              "type=",
              "app_id=",
              "reply_to=",
            ]}
          />
          <TextField label="Body contains" value={filter.body} onChange={(body) => setFilter({ ...filter, body })} />
        </div>
      </Form>
    </div>
  );
}

function MessageLine(props: { message: Row; isOpen: boolean; onToggle: () => void }): JSX.Element {
  const { message, isOpen, onToggle } = props;
  const state = text(message, "state");
  return (
    <button type="button" class="message-line" aria-expanded={isOpen} onClick={onToggle}>
      <span class="place">{count(number(message, "position"))}</span>
      <Badge kind={state === "unacked" ? "warn" : "good"}>{state}</Badge>
      {flag(message, "redelivered") && <Badge>redelivered</Badge>}
      <code class="key">{text(message, "routing_key")}</code>
      <span class="preview">
        {text(message, "payload_encoding") === "string" ? text(message, "payload").slice(0, 200) : "binary"}
      </span>
      <span class="dim">{bytes(number(message, "payload_bytes"))}</span>
    </button>
  );
}

async function deleteAll(vhost: string, queue: string, filter: Filter): Promise<boolean> {
  const body = (
    <p>
      Every ready message of <b>{queue}</b> that fits the filter will be destroyed, also those beyond this page. That
      cannot be undone.
    </p>
  );
  if (!(await confirmed({ title: "Delete all that fit?", body, action: "Delete messages", typed: queue })))
    return false;
  const query = new URLSearchParams(filterFields(filter));
  return act(
    (answer) => `Deleted ${plural(number(answer, "deleted"), "message")}.`,
    () => request("DELETE", `${path`/queues/${vhost}/${queue}/messages`}?${query}`),
  );
}
