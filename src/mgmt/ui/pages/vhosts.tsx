import type { JSX } from "preact";
import { useState } from "preact/hooks";
import { DepthChart, MessageRatesChart, TrafficChart } from "../components/charts.tsx";
import { type Column, DataTable } from "../components/data-table.tsx";
import { confirmed, Dialog } from "../components/dialog.tsx";
import { Choice, Form, TextField, Tick } from "../components/form.tsx";
import { Badge, Facts, Failure, PageHead, Section } from "../components/page.tsx";
import { PermissionForm, PermissionsTable } from "../components/permissions.tsx";
import { RangeChoice } from "../components/range-choice.tsx";
import { act, say } from "../components/toasts.tsx";
import { path, request } from "../lib/api.ts";
import { byteRate, count, plural, rate } from "../lib/format.ts";
import { VhostLink } from "../lib/links.tsx";
import { live, useLive } from "../lib/live.ts";
import { rangeQuery, useRange } from "../lib/ranges.ts";
import { goTo, href } from "../lib/router.ts";
import { flag, number, rowsOf, text, texts } from "../lib/row.ts";
import { may } from "../lib/session.ts";
import { chooseVhost, chosenVhost } from "../lib/vhost.ts";

const amount = (id: string, title: string, field: string): Column => ({
  id,
  title,
  sort: field,
  numeric: true,
  cell: (row) => count(number(row, field)),
});

const perSecond = (id: string, title: string, field: string, format: (value: number) => string): Column => ({
  id,
  title,
  sort: `${field}_details.rate`,
  numeric: true,
  cell: (row) => format(number(row, `${field}_details.rate`)),
});

const columns: readonly Column[] = [
  { id: "name", title: "Name", sort: "name", cell: (row) => <VhostLink name={text(row, "name")} /> },
  { id: "description", title: "Description", sort: "description", cell: (row) => text(row, "description") },
  amount("ready", "Ready", "messages_ready"),
  amount("unacked", "Unacked", "messages_unacknowledged"),
  amount("total", "Total", "messages"),
  perSecond("publish", "Publish", "message_stats.publish", rate),
  perSecond("deliver", "Deliver/get", "message_stats.deliver_get", rate),
  perSecond("from", "From clients", "recv_oct", byteRate),
  perSecond("to", "To clients", "send_oct", byteRate),
  { id: "tags", title: "Tags", isExtra: true, cell: (row) => texts(row, "tags").join(", ") },
  { id: "type", title: "Default queue type", isExtra: true, cell: (row) => text(row, "default_queue_type") },
];

/** All vhosts that the user may open. */
export function VhostsPage(): JSX.Element {
  const [isAdding, setAdding] = useState(false);
  return (
    <>
      <PageHead title="Virtual hosts">
        {may("administer") && (
          <button type="button" class="primary" onClick={() => setAdding(true)}>
            Add virtual host…
          </button>
        )}
      </PageHead>
      <DataTable
        name="vhosts"
        what="virtual hosts"
        path="/vhosts"
        columns={columns}
        empty="There is no virtual host that you may use."
      />
      {isAdding && <AddVhost onClose={() => setAdding(false)} />}
    </>
  );
}

function AddVhost({ onClose }: { onClose: () => void }): JSX.Element {
  const [name, setName] = useState("");
  const [description, setDescription] = useState("");
  const [tags, setTags] = useState("");
  const [type, setType] = useState("classic");
  const [isTraced, setTraced] = useState(false);
  const add = async (): Promise<void> => {
    await request("PUT", path`/vhosts/${name}`, { description, tags, default_queue_type: type, tracing: isTraced });
    say("done", `Virtual host ${name} is there.`);
    live.refresh();
    onClose();
  };
  return (
    <Dialog title="Add a virtual host" onClose={onClose}>
      <Form action="Add virtual host" onSubmit={add} onCancel={onClose}>
        <TextField label="Name" value={name} onChange={setName} required />
        <TextField label="Description" value={description} onChange={setDescription} />
        <TextField label="Tags" value={tags} onChange={setTags} hint="With commas between" />
        <Choice label="Default queue type" value={type} onChange={setType} options={["classic", "quorum"]} />
        <Tick
          label="Tracing"
          hint="copies of all messages go to amq.rabbitmq.trace"
          value={isTraced}
          onChange={setTraced}
        />
      </Form>
    </Dialog>
  );
}

/** One vhost: how it does, and who may use it. */
export function VhostPage({ name }: { readonly name: string }): JSX.Element {
  const [range] = useRange();
  const isAdministrator = may("administer");
  const query = rangeQuery(range, "lengths", "msg_rates", "data_rates");
  const { data, error } = useLive(`${path`/vhosts/${name}`}?${query}`);
  const { data: permissions } = useLive(
    isAdministrator && error === undefined ? path`/vhosts/${name}/permissions` : undefined,
  );
  const { data: queues } = useLive(
    error === undefined ? `${path`/queues/${name}`}?page=1&page_size=1&columns=name` : undefined,
  );
  if (error !== undefined) return <Failure error={error} of={`virtual host ${name}`} />;
  const isProtected = flag(data, "protected_from_deletion");
  const remove = async (): Promise<void> => {
    const body = (
      <p>
        <b>Everything in it will be destroyed:</b> {plural(number(queues, "total_count"), "queue")} with{" "}
        {plural(number(data, "messages"), "message")}, all exchanges, bindings, policies and permissions. Its
        connections are closed.
      </p>
    );
    if (!(await confirmed({ title: `Delete virtual host ${name}?`, body, action: "Delete virtual host", typed: name })))
      return;
    if (!(await act(`Deleted virtual host ${name}.`, () => request("DELETE", path`/vhosts/${name}`)))) return;
    if (chosenVhost.value === name) chooseVhost("");
    goTo(href("vhosts"));
  };
  const protect = (): Promise<boolean> =>
    act(isProtected ? "It can be deleted again." : "It is protected.", () =>
      request(isProtected ? "DELETE" : "POST", path`/vhosts/${name}/deletion/protection`),
    );
  const trace = (): Promise<boolean> =>
    act(flag(data, "tracing") ? "Tracing is off." : "Tracing is on.", () =>
      request("PUT", path`/vhosts/${name}`, { tracing: !flag(data, "tracing") }),
    );
  return (
    <>
      <PageHead
        title={name}
        above={<a href={href("vhosts")}>Virtual hosts</a>}
        tags={
          <>
            {isProtected && <Badge kind="good">protected from deletion</Badge>}
            {flag(data, "tracing") && <Badge kind="warn">tracing</Badge>}
          </>
        }
      >
        <RangeChoice />
        {isAdministrator && (
          <>
            <button type="button" onClick={() => void trace()}>
              {flag(data, "tracing") ? "Stop tracing" : "Trace"}
            </button>
            <button type="button" onClick={() => void protect()}>
              {isProtected ? "Lift protection" : "Protect"}
            </button>
            <button type="button" class="danger" disabled={isProtected} onClick={() => void remove()}>
              Delete…
            </button>
          </>
        )}
      </PageHead>
      <div class="charts">
        <DepthChart of={data} />
        <MessageRatesChart of={data} />
        <TrafficChart of={data} />
      </div>
      <Section title="Details">
        <Facts
          of={[
            ["Description", text(data, "description")],
            ["Tags", texts(data, "tags").join(", ")],
            ["Default queue type", text(data, "default_queue_type")],
            ["Queues", count(number(queues, "total_count"))],
            ["Messages", count(number(data, "messages"))],
          ]}
        />
      </Section>
      {isAdministrator && (
        <Section title="Permissions" count={rowsOf(permissions).length}>
          <PermissionsTable rows={rowsOf(permissions)} />
          <details class="fold">
            <summary>Set permissions of a user</summary>
            <PermissionForm vhost={name} />
          </details>
        </Section>
      )}
    </>
  );
}
