import type { JSX } from "preact";
import { useState } from "preact/hooks";
import {
  type Argument,
  ArgumentsEditor,
  argumentsFrom,
  argumentsOf,
  type KnownArgument,
} from "../components/arguments.tsx";
import { type Column, DataTable } from "../components/data-table.tsx";
import { confirmed, Dialog } from "../components/dialog.tsx";
import { Choice, Form, TextField } from "../components/form.tsx";
import { Facts, Failure, PageHead, Section, Value } from "../components/page.tsx";
import { act, say } from "../components/toasts.tsx";
import { firstVhost, VhostField } from "../components/vhost-field.tsx";
import { path, request } from "../lib/api.ts";
import { PolicyLink, VhostLink } from "../lib/links.tsx";
import { live, useLive } from "../lib/live.ts";
import { goTo, href, setQuery, useRoute } from "../lib/router.ts";
import { at, type Row, rowOf, text } from "../lib/row.ts";
import { may } from "../lib/session.ts";

type Kind = "policies" | "operator-policies";

const known: readonly KnownArgument[] = [
  ["message-ttl", "Message TTL", "Number", "60000"],
  ["expires", "Auto expire", "Number", "1800000"],
  ["max-length", "Max length", "Number", "100000"],
  ["max-length-bytes", "Max length bytes", "Number"],
  ["overflow", "Overflow behaviour", "String", "reject-publish"],
  ["dead-letter-exchange", "Dead letter exchange", "String"],
  ["dead-letter-routing-key", "Dead letter routing key", "String"],
  ["delivery-limit", "Delivery limit", "Number", "20"],
  ["alternate-exchange", "Alternate exchange", "String"],
];

const appliesTo = ["all", "queues", "classic_queues", "quorum_queues", "exchanges"] as const;

function columnsOf(kind: Kind, onEdit: (row: Row) => void): readonly Column[] {
  return [
    {
      id: "name",
      title: "Name",
      sort: "name",
      cell: (row) =>
        kind === "policies" ? <PolicyLink vhost={text(row, "vhost")} name={text(row, "name")} /> : text(row, "name"),
    },
    { id: "vhost", title: "Virtual host", sort: "vhost", cell: (row) => <VhostLink name={text(row, "vhost")} /> },
    { id: "pattern", title: "Pattern", sort: "pattern", cell: (row) => <code>{text(row, "pattern")}</code> },
    { id: "apply", title: "Applies to", sort: "apply-to", cell: (row) => text(row, "apply-to") },
    { id: "priority", title: "Priority", sort: "priority", numeric: true, cell: (row) => text(row, "priority") },
    { id: "definition", title: "Definition", cell: (row) => <code>{JSON.stringify(at(row, "definition"))}</code> },
    { id: "acts", title: "", cell: (row) => <Acts kind={kind} row={row} onEdit={onEdit} /> },
  ];
}

function mayChange(kind: Kind): boolean {
  return may(kind === "policies" ? "make policies" : "administer");
}

function Acts({ kind, row, onEdit }: { kind: Kind; row: Row; onEdit: (row: Row) => void }): JSX.Element | null {
  if (!mayChange(kind)) return null;
  return (
    <>
      <button type="button" class="small" onClick={() => onEdit(row)}>
        Edit…
      </button>{" "}
      <button type="button" class="small danger" onClick={() => void removePolicy(kind, row)}>
        Delete…
      </button>
    </>
  );
}

async function removePolicy(kind: Kind, row: Row): Promise<boolean> {
  const [vhost, name] = [text(row, "vhost"), text(row, "name")];
  const body = (
    <p>
      What it sets ends at once for everything that matches <code>{text(row, "pattern")}</code> in <b>{vhost}</b>,
      unless another policy takes over. No message is deleted by that.
    </p>
  );
  if (!(await confirmed({ title: `Delete policy ${name}?`, body, action: "Delete policy" }))) return false;
  return act(`Deleted policy ${name}.`, () =>
    request(
      "DELETE",
      kind === "policies" ? path`/policies/${vhost}/${name}` : path`/operator-policies/${vhost}/${name}`,
    ),
  );
}

/** Policies of users and of operators. */
export function PoliciesPage(): JSX.Element {
  const kind: Kind = useRoute().query.get("kind") === "operator-policies" ? "operator-policies" : "policies";
  const [edited, setEdited] = useState<Row | undefined>(undefined);
  return (
    <>
      <PageHead title="Policies">
        {mayChange(kind) && (
          <button type="button" class="primary" onClick={() => setEdited({})}>
            Add policy…
          </button>
        )}
      </PageHead>
      <div class="tabs" role="tablist">
        {(["policies", "operator-policies"] as const).map((one) => (
          <button
            key={one}
            type="button"
            role="tab"
            aria-selected={one === kind}
            onClick={() => setQuery({ kind: one === "policies" ? undefined : one })}
          >
            {one === "policies" ? "Policies" : "Operator policies"}
          </button>
        ))}
      </div>
      <DataTable
        key={kind}
        name={kind}
        what="policies"
        path={`/${kind}`}
        columns={columnsOf(kind, setEdited)}
        empty="No policies. A policy sets limits, expiry and dead lettering for all queues and exchanges whose names match."
      />
      {edited !== undefined && (
        <Dialog
          title={text(edited, "name") === "" ? "Add a policy" : `Edit policy ${text(edited, "name")}`}
          onClose={() => setEdited(undefined)}
          wide
        >
          <PolicyForm kind={kind} policy={edited} onDone={() => setEdited(undefined)} />
        </Dialog>
      )}
    </>
  );
}

function PolicyForm({ kind, policy, onDone }: { kind: Kind; policy: Row; onDone?: () => void }): JSX.Element {
  const isNew = text(policy, "name") === "";
  const [vhost, setVhost] = useState(() => text(policy, "vhost") || firstVhost());
  const [name, setName] = useState(text(policy, "name"));
  const [pattern, setPattern] = useState(isNew ? "^" : text(policy, "pattern"));
  const [target, setTarget] = useState(text(policy, "apply-to") || "all");
  const [priority, setPriority] = useState(text(policy, "priority") || "0");
  const [definition, setDefinition] = useState<readonly Argument[]>(() => argumentsOf(rowOf(at(policy, "definition"))));
  const save = async (): Promise<void> => {
    const body = { pattern, "apply-to": target, priority: Number(priority), definition: argumentsFrom(definition) };
    await request(
      "PUT",
      kind === "policies" ? path`/policies/${vhost}/${name}` : path`/operator-policies/${vhost}/${name}`,
      body,
    );
    say("done", `Policy ${name} is in force.`);
    live.refresh();
    onDone?.();
  };
  return (
    <Form action={isNew ? "Add policy" : "Save"} onSubmit={save} onCancel={onDone}>
      {isNew && (
        <div class="row">
          <VhostField value={vhost} onChange={setVhost} />
          <TextField label="Name" value={name} onChange={setName} required />
        </div>
      )}
      <div class="row">
        <TextField
          label="Pattern"
          value={pattern}
          onChange={setPattern}
          required
          hint="A regular expression; ^orders matches what begins with orders"
        />
        <Choice label="Applies to" value={target} onChange={setTarget} options={appliesTo} />
        <TextField
          label="Priority"
          type="number"
          value={priority}
          onChange={setPriority}
          hint="The highest that matches counts"
        />
      </div>
      <ArgumentsEditor label="Definition" value={definition} onChange={setDefinition} known={known} />
    </Form>
  );
}

/** One policy. */
export function PolicyPage({ vhost, name }: { readonly vhost: string; readonly name: string }): JSX.Element {
  const { data, error } = useLive(path`/policies/${vhost}/${name}`);
  if (error !== undefined) return <Failure error={error} of={`policy ${name} in ${vhost}`} />;
  const remove = async (): Promise<void> => {
    if (await removePolicy("policies", rowOf(data))) goTo(href("policies"));
  };
  return (
    <>
      <PageHead title={name} above={<a href={href("policies")}>Policies</a>}>
        {may("make policies") && (
          <button type="button" class="danger" disabled={data === undefined} onClick={() => void remove()}>
            Delete…
          </button>
        )}
      </PageHead>
      <Section title="Details">
        <Facts
          of={[
            ["Virtual host", <VhostLink key="vhost" name={vhost} />],
            ["Pattern", <code key="pattern">{text(data, "pattern")}</code>],
            ["Applies to", text(data, "apply-to")],
            ["Priority", text(data, "priority")],
            ["Definition", <Value key="definition" of={at(data, "definition") ?? {}} />],
          ]}
        />
      </Section>
      {data !== undefined && may("make policies") && (
        <Section title="Change">
          <PolicyForm key={JSON.stringify(data)} kind="policies" policy={rowOf(data)} />
        </Section>
      )}
    </>
  );
}
