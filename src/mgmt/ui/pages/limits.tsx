import type { JSX } from "preact";
import { useState } from "preact/hooks";
import { confirmed } from "../components/dialog.tsx";
import { Choice, Form, TextField } from "../components/form.tsx";
import { PageHead, Section } from "../components/page.tsx";
import { PlainTable } from "../components/plain-table.tsx";
import { act, say } from "../components/toasts.tsx";
import { path, request } from "../lib/api.ts";
import { count } from "../lib/format.ts";
import { live, useLive } from "../lib/live.ts";
import { at, isRow, number, type Row, rowsOf, text } from "../lib/row.ts";
import { may } from "../lib/session.ts";

type Scope = "vhost" | "user";

const limits: Readonly<Record<Scope, readonly string[]>> = {
  vhost: ["max-connections", "max-queues"],
  user: ["max-connections", "max-channels"],
};

/** How many connections, channels and queues there may be. */
export function LimitsPage(): JSX.Element {
  const isAdministrator = may("administer");
  const vhosts = rowsOf(useLive("/vhosts?columns=name").data).map((row) => text(row, "name"));
  const users = rowsOf(useLive(isAdministrator ? "/users?columns=name" : undefined).data).map((row) =>
    text(row, "name"),
  );
  return (
    <>
      <PageHead title="Limits" />
      <Limits scope="vhost" title="Limits of virtual hosts" names={vhosts} mayChange={isAdministrator} />
      {isAdministrator && <Limits scope="user" title="Limits of users" names={users} mayChange />}
    </>
  );
}

function Limits(props: { scope: Scope; title: string; names: readonly string[]; mayChange: boolean }): JSX.Element {
  const { scope, title, names, mayChange } = props;
  const rows = rowsOf(useLive(`/${scope}-limits`).data).flatMap((row) => {
    const values = at(row, "value");
    const name = text(row, scope);
    return isRow(values) ? Object.entries(values).map(([limit, value]) => ({ name, limit, value })) : [];
  });
  const clear = async (row: Row): Promise<void> => {
    const [name, limit] = [text(row, "name"), text(row, "limit")];
    const body = (
      <p>
        There will be no {limit} for <b>{name}</b>.
      </p>
    );
    if (!(await confirmed({ title: "Lift this limit?", body, action: "Lift limit" }))) return;
    await act("Lifted the limit.", () =>
      request("DELETE", scope === "vhost" ? path`/vhost-limits/${name}/${limit}` : path`/user-limits/${name}/${limit}`),
    );
  };
  return (
    <Section title={title} count={rows.length}>
      <PlainTable
        rows={rows}
        empty="None: there may be as many as there is room for."
        columns={[
          [scope === "vhost" ? "Virtual host" : "User", (row) => text(row, "name")],
          ["Limit", (row) => text(row, "limit")],
          ["Value", (row) => count(number(row, "value")), "numeric"],
          [
            "",
            (row) =>
              mayChange && (
                <button type="button" class="small danger" onClick={() => void clear(row)}>
                  Lift…
                </button>
              ),
          ],
        ]}
      />
      {mayChange && (
        <details class="fold">
          <summary>Set a limit</summary>
          <LimitForm scope={scope} names={names} />
        </details>
      )}
    </Section>
  );
}

function LimitForm({ scope, names }: { scope: Scope; names: readonly string[] }): JSX.Element {
  const [chosen, setChosen] = useState("");
  const [limit, setLimit] = useState(limits[scope][0] ?? "");
  const [value, setValue] = useState("");
  const name = chosen === "" ? (names[0] ?? "") : chosen;
  const save = async (): Promise<void> => {
    const to = scope === "vhost" ? path`/vhost-limits/${name}/${limit}` : path`/user-limits/${name}/${limit}`;
    await request("PUT", to, { value: Number(value) });
    say("done", `Limited ${name}.`);
    live.refresh();
  };
  return (
    <Form action="Set limit" onSubmit={save}>
      <div class="row">
        <Choice label={scope === "vhost" ? "Virtual host" : "User"} value={name} onChange={setChosen} options={names} />
        <Choice label="Limit" value={limit} onChange={setLimit} options={limits[scope]} />
        <TextField
          label="Value"
          type="number"
          value={value}
          onChange={setValue}
          required
          hint="0 allows none, -1 any number"
        />
      </div>
    </Form>
  );
}
