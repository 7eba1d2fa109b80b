import type { JSX } from "preact";
import { useState } from "preact/hooks";
import { type Column, DataTable } from "../components/data-table.tsx";
import { confirmed, Dialog } from "../components/dialog.tsx";
import { Choice, Form, TextField } from "../components/form.tsx";
import { Badge, Facts, Failure, PageHead, Section } from "../components/page.tsx";
import {
  PermissionForm,
  PermissionsTable,
  TopicPermissionForm,
  TopicPermissionsTable,
} from "../components/permissions.tsx";
import { act, say } from "../components/toasts.tsx";
import { path, request } from "../lib/api.ts";
import { plural } from "../lib/format.ts";
import { UserLink } from "../lib/links.tsx";
import { live, useLive } from "../lib/live.ts";
import { goTo, href } from "../lib/router.ts";
import { type Row, rowsOf, text, texts } from "../lib/row.ts";
import { session } from "../lib/session.ts";

const columns: readonly Column[] = [
  { id: "name", title: "Name", sort: "name", cell: (row) => <UserLink name={text(row, "name")} /> },
  { id: "tags", title: "Tags", cell: (row) => <Tags of={texts(row, "tags")} /> },
  {
    id: "password",
    title: "Password",
    cell: (row) => (text(row, "password_hash") === "" ? <span class="dim">none</span> : "●●●●"),
  },
];

function Tags({ of }: { of: readonly string[] }): JSX.Element {
  if (of.length === 0) return <span class="dim">none: AMQP only</span>;
  return (
    <span class="badges">
      {of.map((tag) => (
        <Badge key={tag} kind="accent">
          {tag}
        </Badge>
      ))}
    </span>
  );
}

/** All users. */
export function UsersPage(): JSX.Element {
  const [isAdding, setAdding] = useState(false);
  return (
    <>
      <PageHead title="Users">
        <button type="button" class="primary" onClick={() => setAdding(true)}>
          Add user…
        </button>
      </PageHead>
      <DataTable name="users" what="users" path="/users" columns={columns} empty="No users." />
      {isAdding && (
        <Dialog title="Add a user" onClose={() => setAdding(false)}>
          <UserForm onDone={() => setAdding(false)} />
        </Dialog>
      )}
    </>
  );
}

const roles = [
  ["", "none: AMQP only"],
  ["management", "management: sees what they may use"],
  ["policymaker", "policymaker: and sets policies"],
  ["monitoring", "monitoring: sees everything"],
  ["administrator", "administrator: may do everything"],
] as const;

/** Adds a user, or changes the tags and the password of one. */
function UserForm({ user, onDone }: { user?: Row | undefined; onDone: () => void }): JSX.Element {
  const [name, setName] = useState(text(user, "name"));
  const [password, setPassword] = useState("");
  const [tags, setTags] = useState(texts(user, "tags").join(","));
  const known = roles.some(([role]) => role === tags);
  const save = async (): Promise<void> => {
    const keepsPassword = user !== undefined && password === "";
    await request("PUT", path`/users/${name}`, {
      tags,
      ...(keepsPassword
        ? { password_hash: text(user, "password_hash"), hashing_algorithm: text(user, "hashing_algorithm") }
        : { password }),
    });
    say("done", user === undefined ? `Added user ${name}.` : `Changed user ${name}.`);
    live.refresh();
    onDone();
  };
  return (
    <Form
      action={user === undefined ? "Add user" : "Save"}
      onSubmit={save}
      onCancel={user === undefined ? onDone : undefined}
    >
      {user === undefined && <TextField label="Name" value={name} onChange={setName} required />}
      <div class="row">
        <TextField
          label="Password"
          type="text"
          value={password}
          onChange={setPassword}
          required={user === undefined}
          autocomplete="new-password"
          hint={user === undefined ? "Shown here so that you can pass it on." : "Empty: as it is."}
        />
        <button type="button" onClick={() => setPassword(newPassword())}>
          Generate
        </button>
      </div>
      <Choice label="Tags" value={tags} onChange={setTags} options={known ? roles : [[tags, tags], ...roles]} />
    </Form>
  );
}

const letters = "ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz23456789";
const passwordLength = 24;

/** Letters and digits that cannot be mistaken for each other. */
function newPassword(): string {
  const limit = 256 - (256 % letters.length);
  let made = "";
  while (made.length < passwordLength) {
    const [byte = 0] = crypto.getRandomValues(new Uint8Array(1));
    // Bytes above would make the first letters likelier.
    if (byte < limit) made += letters[byte % letters.length] ?? "";
  }
  return made;
}

/** One user and what they may do. */
export function UserPage({ name }: { readonly name: string }): JSX.Element {
  const { data, error } = useLive(path`/users/${name}`);
  const there = error === undefined;
  const permissions = rowsOf(useLive(there ? path`/users/${name}/permissions` : undefined).data);
  const topics = rowsOf(useLive(there ? path`/users/${name}/topic-permissions` : undefined).data);
  const connections = rowsOf(useLive(there ? path`/connections/username/${name}` : undefined).data);
  if (error !== undefined) return <Failure error={error} of={`user ${name}`} />;
  const user = rowsOf([data])[0];
  const remove = async (): Promise<void> => {
    const body = (
      <p>
        The user, {plural(permissions.length, "permission")} and {plural(topics.length, "topic permission")} will be
        gone, and {plural(connections.length, "connection")} will be closed. Queues and messages stay.
        {name === session.value?.name && <b> You are logged in as this user.</b>}
      </p>
    );
    if (!(await confirmed({ title: `Delete user ${name}?`, body, action: "Delete user" }))) return;
    if (await act(`Deleted user ${name}.`, () => request("DELETE", path`/users/${name}`))) goTo(href("users"));
  };
  return (
    <>
      <PageHead title={name} above={<a href={href("users")}>Users</a>} tags={<Tags of={texts(data, "tags")} />}>
        <button type="button" class="danger" onClick={() => void remove()}>
          Delete…
        </button>
      </PageHead>
      <Section title="Details">
        <Facts
          of={[
            ["Password", text(data, "password_hash") === "" ? "none: cannot log in by password" : "set"],
            ["Hashing", text(data, "hashing_algorithm")],
            ["Connections", String(connections.length)],
          ]}
        />
        {user !== undefined && (
          <details class="fold">
            <summary>Change tags or password</summary>
            <UserForm key={texts(user, "tags").join()} user={user} onDone={() => {}} />
          </details>
        )}
      </Section>
      <Section title="Permissions" count={permissions.length}>
        <PermissionsTable rows={permissions} />
        <details class="fold">
          <summary>Set permissions in a virtual host</summary>
          <PermissionForm user={name} />
        </details>
      </Section>
      <Section title="Topic permissions" count={topics.length}>
        <TopicPermissionsTable rows={topics} />
        <details class="fold">
          <summary>Restrict routing keys on a topic exchange</summary>
          <TopicPermissionForm user={name} />
        </details>
      </Section>
    </>
  );
}
