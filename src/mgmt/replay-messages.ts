import { tableToPlain } from "../plain-table.ts";
import type { Queue } from "../queue/queue.ts";
import { type FoundMessage, QueueScan } from "../queue/queue-scan.ts";
import type { Message } from "../record.ts";
import { type Answer, answer, type Call } from "./call.ts";
import type { Mover } from "./change-messages.ts";
import { messageFilter, wantedBy } from "./message-filter.ts";
import type { Row } from "./rows.ts";
import { Slices } from "./slices.ts";

/** Different queues and reasons that an answer tells apart. */
const destinationsMax = 1000;

/** Where a dead letter came from first, and why it died there. */
interface Origin {
  readonly queue: string;
  readonly reason: string;
}

/** Queues that dead letters may go back to. */
export interface ReplayTargets {
  has(queue: string): boolean;
  /** What moves messages there. Throws when the user may not. */
  moverTo(queue: string): Mover;
}

/**
 * Moves the ready dead letters of a queue back to the queues they died in first, each in one transaction. A dry run tells
 * how many would go where, and moves nothing.
 */
export async function replayMessages(targets: ReplayTargets, queue: Queue, { body }: Call): Promise<Answer> {
  const isDryRun = body.flag("dry_run");
  const isWanted = messageFilter(wantedBy(body)) ?? (() => true);
  const replay = new Replay(queue, targets, isDryRun);
  await new QueueScan(queue, new Slices(), isDryRun ? "look" : "act").run(0, (found) => {
    if (!found.unacked && isWanted(found.message)) replay.take(found);
    return true;
  });
  if (!isDryRun) queue.resume();
  return answer(replay.row);
}

/** What a replay does, or would do. */
class Replay {
  readonly #queue: Queue;
  readonly #targets: ReplayTargets;
  readonly #isDryRun: boolean;
  readonly #movers = new Map<string, Mover>();
  readonly #destinations = new Map<string, { readonly origin: Origin; messages: number }>();
  #gone = 0;
  #skipped = 0;

  constructor(queue: Queue, targets: ReplayTargets, isDryRun: boolean) {
    this.#queue = queue;
    this.#targets = targets;
    this.#isDryRun = isDryRun;
  }

  take(found: FoundMessage): void {
    const origin = originOf(found.message);
    if (origin === undefined || origin.queue === this.#queue.name) this.#skipped++;
    else if (!this.#targets.has(origin.queue)) this.#gone++;
    else {
      const mover = this.#moverTo(origin.queue);
      if (this.#isDryRun || mover.move(this.#queue, found)) this.#note(origin);
    }
  }

  #moverTo(queue: string): Mover {
    const mover = this.#movers.get(queue) ?? this.#targets.moverTo(queue);
    this.#movers.set(queue, mover);
    return mover;
  }

  #note(origin: Origin): void {
    const key = `${origin.reason} ${origin.queue}`;
    const noted = this.#destinations.get(key);
    if (noted !== undefined) noted.messages++;
    else if (this.#destinations.size < destinationsMax) this.#destinations.set(key, { origin, messages: 1 });
  }

  get row(): Row {
    const outcomes = [...this.#movers.values()].map(({ outcome }) => outcome);
    return {
      dry_run: this.#isDryRun,
      destinations: [...this.#destinations.values()].map(({ origin, messages }) => ({ ...origin, messages })),
      moved: outcomes.reduce((sum, { moved }) => sum + moved, 0),
      unroutable: outcomes.reduce((sum, { unroutable }) => sum + unroutable, this.#gone),
      rejected: outcomes.reduce((sum, { rejected }) => sum + rejected, 0),
      skipped: this.#skipped,
    };
  }
}

function originOf(message: Message): Origin | undefined {
  if (message.headersAt === 0) return undefined;
  const headers = tableToPlain(message.headers());
  const [queue, reason] = [headers["x-first-death-queue"], headers["x-first-death-reason"]];
  return typeof queue === "string" ? { queue, reason: String(reason ?? "") } : undefined;
}
