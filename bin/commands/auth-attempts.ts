import { plain } from "../cells.ts";
import { command } from "../command.ts";
import { path } from "../management-client.ts";

const columns = ["protocol", "auth_attempts", "auth_attempts_failed", "auth_attempts_succeeded"];

const listAttempts = command({
  name: "list_node_auth_attempt_stats",
  group: "Status and health checks",
  summary: "tells how often somebody logged in, or failed to",
  run: async (context) => {
    const node = await context.node();
    context.output.banner(`Listing authentication attempts for node "${node}" ...`);
    const rows = await context.api.list(path`/auth/attempts/${node}`);
    context.output.table({ columns, rows: rows.map((row) => columns.map((name) => plain(row[name]))) });
  },
});

const resetAttempts = command({
  name: "reset_node_auth_attempt_metrics",
  group: "Status and health checks",
  summary: "begins to count anew who logged in",
  run: async (context) => {
    const node = await context.node();
    context.output.banner(`Reset auth attempt metrics on node ${node} ...`);
    await context.api.delete(path`/auth/attempts/${node}`);
  },
});

/** The commands about attempts to log in. */
export const authAttemptCommands = [listAttempts, resetAttempts];
