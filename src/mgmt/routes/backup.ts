import { createReadStream } from "node:fs";
import { basename } from "node:path";
import { type Backup, StoreError } from "../../store/store.ts";
import type { Api } from "../api.ts";
import type { Answer, Call } from "../call.ts";
import type { ManagementHost } from "../host.ts";
import { unavailable } from "../refusal.ts";

/** `/api/backup`, which RabbitMQ does not have: the data file, consistent, while the broker runs. */
export function backupRoutes(api: Api, host: ManagementHost): void {
  api.post("/backup", "administrator", async (call) => send(host, call, await make(host)));
}

async function make({ backups, logs: { management: log } }: ManagementHost): Promise<Backup> {
  try {
    return await backups.make();
  } catch (error) {
    if (!(error instanceof StoreError)) throw error;
    log.warn({ err: error }, "a backup was not made");
    throw unavailable(error.message, { cause: error });
  }
}

function send({ logs: { management: log } }: ManagementHost, { user }: Call, { file, size, remove }: Backup): Answer {
  log.info({ user: user.name, size }, "backup made");
  const stream = createReadStream(file);
  // Sent or not: nobody will ask for it again.
  stream.once("close", () => {
    remove().catch((error: unknown) => log.error({ err: error }, "a backup could not be removed"));
  });
  const headers = {
    "content-type": "application/vnd.sqlite3",
    "content-length": String(size),
    "content-disposition": `attachment; filename=${basename(file)}`,
  };
  return { status: 200, stream, headers };
}
