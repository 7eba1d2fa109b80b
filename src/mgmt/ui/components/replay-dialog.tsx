import type { JSX } from "preact";
import { useState } from "preact/hooks";
import { path, request } from "../lib/api.ts";
import { plural } from "../lib/format.ts";
import { type Filter, filterFields } from "../lib/message-filter.ts";
import { number, rowsOf, text } from "../lib/row.ts";
import { Dialog } from "./dialog.tsx";
import { Form } from "./form.tsx";
import { sayMoved } from "./move-dialog.tsx";
import { Empty } from "./page.tsx";
import { PlainTable } from "./plain-table.tsx";

/** Sends dead letters back to the queues they came from: first it tells what would happen, then it does that. */
export function ReplayDialog(props: {
  readonly vhost: string;
  readonly queue: string;
  readonly filter: Filter;
  readonly onClose: () => void;
  readonly onDone: () => void;
}): JSX.Element {
  const { vhost, queue, filter, onClose, onDone } = props;
  const [plan, setPlan] = useState<unknown>(undefined);
  const ask = (isDryRun: boolean): Promise<unknown> =>
    request("POST", path`/queues/${vhost}/${queue}/messages/replay`, { ...filterFields(filter), dry_run: isDryRun });
  const submit = async (): Promise<void> => {
    if (plan === undefined) {
      setPlan(await ask(true));
      return;
    }
    sayMoved(await ask(false));
    onDone();
    onClose();
  };
  const rows = rowsOf(Object(plan)["destinations"]);
  const total = rows.reduce((sum, row) => sum + number(row, "messages"), 0);
  return (
    <Dialog title="Replay dead letters" onClose={onClose}>
      <Form
        action={plan === undefined ? "Dry run" : `Replay ${plural(total, "message")}`}
        onSubmit={submit}
        onCancel={onClose}
      >
        <p>
          Ready messages of <b>{queue}</b> that died in another queue
          {Object.keys(filterFields(filter)).length > 0 ? ", and that fit the filter," : ""} go back to the queue they
          died in first, each in one transaction. The dry run tells what that would be, and moves nothing.
        </p>
        {plan !== undefined && (
          <>
            <PlainTable
              rows={rows}
              empty="No dead letter here knows where it came from."
              columns={[
                ["Back to queue", (row) => text(row, "queue")],
                ["Died because", (row) => text(row, "reason")],
                ["Messages", (row) => text(row, "messages"), "numeric"],
              ]}
            />
            {number(plan, "unroutable") > 0 && (
              <Empty>{plural(number(plan, "unroutable"), "message")} stay: their queue is gone.</Empty>
            )}
            {number(plan, "skipped") > 0 && (
              <Empty>{plural(number(plan, "skipped"), "message")} are no dead letters, and stay.</Empty>
            )}
          </>
        )}
      </Form>
    </Dialog>
  );
}
