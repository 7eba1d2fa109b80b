import type { JSX } from "preact";
import { useState } from "preact/hooks";
import { path, request } from "../lib/api.ts";
import { UserLink, VhostLink } from "../lib/links.tsx";
import { live } from "../lib/live.ts";
import { type Row, text } from "../lib/row.ts";
import { confirmed } from "./dialog.tsx";
import { Form, TextField } from "./form.tsx";
import { PlainTable } from "./plain-table.tsx";
import { act, say } from "./toasts.tsx";
import { firstVhost, VhostField } from "./vhost-field.tsx";

/** Takes a user's permissions on a vhost away. */
export function ClearPermission({ row }: { readonly row: Row }): JSX.Element {
  const [user, vhost] = [text(row, "user"), text(row, "vhost")];
  const clear = async (): Promise<void> => {
    const body = (
      <p>
        <b>{user}</b> may no longer connect to virtual host <b>{vhost}</b>, nor do anything in it.
      </p>
    );
    if (!(await confirmed({ title: "Clear permissions?", body, action: "Clear permissions" }))) return;
    await act("Cleared permissions.", () => request("DELETE", path`/permissions/${vhost}/${user}`));
  };
  return (
    <button type="button" class="small danger" onClick={() => void clear()}>
      Clear…
    </button>
  );
}

/** Permissions of one user, or on one vhost. */
export function PermissionsTable({ rows }: { readonly rows: readonly Row[] }): JSX.Element {
  return (
    <PlainTable
      rows={rows}
      empty="None: nothing may be done."
      columns={[
        ["User", (row) => <UserLink name={text(row, "user")} />],
        ["Virtual host", (row) => <VhostLink name={text(row, "vhost")} />],
        ["Configure", (row) => <code>{text(row, "configure")}</code>],
        ["Write", (row) => <code>{text(row, "write")}</code>],
        ["Read", (row) => <code>{text(row, "read")}</code>],
        ["", (row) => <ClearPermission row={row} />],
      ]}
    />
  );
}

/** Says what a user may do in a vhost; what is known of the two is not asked for. */
export function PermissionForm(props: {
  readonly user?: string;
  readonly vhost?: string;
  readonly onDone?: () => void;
}): JSX.Element {
  const [user, setUser] = useState(props.user ?? "");
  const [vhost, setVhost] = useState(() => props.vhost ?? firstVhost());
  const [configure, setConfigure] = useState(".*");
  const [write, setWrite] = useState(".*");
  const [read, setRead] = useState(".*");
  const save = async (): Promise<void> => {
    await request("PUT", path`/permissions/${vhost}/${user}`, { configure, write, read });
    say("done", `Set permissions of ${user}.`);
    live.refresh();
    props.onDone?.();
  };
  return (
    <Form action="Set permissions" onSubmit={save} onCancel={props.onDone}>
      <div class="row">
        {props.user === undefined && <TextField label="User" value={user} onChange={setUser} required />}
        {props.vhost === undefined && <VhostField value={vhost} onChange={setVhost} />}
        <TextField
          label="Configure"
          value={configure}
          onChange={setConfigure}
          hint="Names that may be declared and deleted"
        />
        <TextField label="Write" value={write} onChange={setWrite} hint="Names that may be published to" />
        <TextField label="Read" value={read} onChange={setRead} hint="Names that may be consumed from" />
      </div>
    </Form>
  );
}

export function TopicPermissionsTable({ rows }: { readonly rows: readonly Row[] }): JSX.Element {
  const clear = async (row: Row): Promise<void> => {
    const [user, vhost, exchange] = [text(row, "user"), text(row, "vhost"), text(row, "exchange")];
    const body = (
      <p>
        <b>{user}</b> may then use every routing key of <b>{exchange}</b>.
      </p>
    );
    if (!(await confirmed({ title: "Lift this restriction?", body, action: "Lift restriction" }))) return;
    await act("Lifted.", () => request("DELETE", path`/topic-permissions/${vhost}/${user}/${exchange}`));
  };
  return (
    <PlainTable
      rows={rows}
      empty="None: routing keys are not restricted."
      columns={[
        ["User", (row) => <UserLink name={text(row, "user")} />],
        ["Virtual host", (row) => <VhostLink name={text(row, "vhost")} />],
        ["Exchange", (row) => text(row, "exchange")],
        ["Write", (row) => <code>{text(row, "write")}</code>],
        ["Read", (row) => <code>{text(row, "read")}</code>],
        [
          "",
          (row) => (
            <button type="button" class="small danger" onClick={() => void clear(row)}>
              Lift…
            </button>
          ),
        ],
      ]}
    />
  );
}

export function TopicPermissionForm({ user }: { readonly user: string }): JSX.Element {
  const [vhost, setVhost] = useState(firstVhost);
  const [exchange, setExchange] = useState("amq.topic");
  const [write, setWrite] = useState(".*");
  const [read, setRead] = useState(".*");
  const save = async (): Promise<void> => {
    await request("PUT", path`/topic-permissions/${vhost}/${user}`, { exchange, write, read });
    say("done", `Restricted ${user} on ${exchange}.`);
    live.refresh();
  };
  return (
    <Form action="Set topic permissions" onSubmit={save}>
      <div class="row">
        <VhostField value={vhost} onChange={setVhost} />
        <TextField label="Exchange" value={exchange} onChange={setExchange} required />
        <TextField label="Write" value={write} onChange={setWrite} hint="Routing keys that may be published with" />
        <TextField label="Read" value={read} onChange={setRead} hint="Routing keys that may be bound" />
      </div>
    </Form>
  );
}
