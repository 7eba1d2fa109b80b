import type { JSX } from "preact";
import { useState } from "preact/hooks";
import { type Column, DataTable } from "../components/data-table.tsx";
import { Dialog } from "../components/dialog.tsx";
import { PageHead } from "../components/page.tsx";
import { ClearPermission, PermissionForm } from "../components/permissions.tsx";
import { UserLink, VhostLink } from "../lib/links.tsx";
import { text } from "../lib/row.ts";

const columns: readonly Column[] = [
  { id: "user", title: "User", sort: "user", cell: (row) => <UserLink name={text(row, "user")} /> },
  { id: "vhost", title: "Virtual host", sort: "vhost", cell: (row) => <VhostLink name={text(row, "vhost")} /> },
  { id: "configure", title: "Configure", sort: "configure", cell: (row) => <code>{text(row, "configure")}</code> },
  { id: "write", title: "Write", sort: "write", cell: (row) => <code>{text(row, "write")}</code> },
  { id: "read", title: "Read", sort: "read", cell: (row) => <code>{text(row, "read")}</code> },
  { id: "clear", title: "", cell: (row) => <ClearPermission row={row} /> },
];

/** Who may do what, everywhere. */
export function PermissionsPage(): JSX.Element {
  const [isAdding, setAdding] = useState(false);
  return (
    <>
      <PageHead title="Permissions">
        <button type="button" class="primary" onClick={() => setAdding(true)}>
          Set permissions…
        </button>
      </PageHead>
      <DataTable
        name="permissions"
        what="permissions"
        path="/permissions"
        columns={columns}
        filters={false}
        empty="Nobody may do anything."
      />
      {isAdding && (
        <Dialog title="Set permissions" onClose={() => setAdding(false)} wide>
          <PermissionForm onDone={() => setAdding(false)} />
        </Dialog>
      )}
    </>
  );
}
