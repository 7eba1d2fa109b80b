import type { Queue } from "../queue/queue.ts";
import { type FoundMessage, QueueScan } from "../queue/queue-scan.ts";
import { segmentMessagesMax } from "../queue/segment.ts";
import { type Answer, answer, type Call } from "./call.ts";
import { messageFilter, wantedIn } from "./message-filter.ts";
import { encodingFrom, messageRow } from "./message-row.ts";
import { badRequest } from "./refusal.ts";
import type { Row } from "./rows.ts";
import { Slices } from "./slices.ts";

/** Messages in one answer unless the request says how many, and the most it may ask for. */
const limitDefault = 50;
const limitMax = 500;
/** Messages that one request looks at; the answer says where to go on. */
const lookedAtMax = 100_000;
/** An answer holds no more than about this many bytes of bodies. */
const answerBytesMax = 32 * 1024 * 1024;
/** Bytes of a body that are shown unless the request says how many. */
const truncateDefault = 50_000;

/** Shows messages that are in a queue, ready or unacked, and leaves them as they are. */
export async function browseMessages(queue: Queue, call: Call): Promise<Answer> {
  const { query } = call;
  const offset = whole("offset", query["offset"], 0);
  const limit = Math.min(whole("limit", query["limit"], limitDefault), limitMax);
  const truncate = whole("truncate", query["truncate"], truncateDefault);
  const encoding = encodingFrom(query["encoding"] ?? "auto");
  const isWanted = messageFilter(wantedIn(query)) ?? (() => true);
  const items: Row[] = [];
  let bytes = 0;
  let position = offset;
  let isMore = false;
  await new QueueScan(queue, new Slices(), "look").run(offset, (found) => {
    isMore = items.length >= limit || bytes >= answerBytesMax || position - offset >= lookedAtMax;
    if (isMore) return false;
    if (isWanted(found.message)) {
      items.push({ ...placeRow(found, position), ...messageRow(found.message, found.redelivered, encoding, truncate) });
      bytes += Math.min(found.message.bodySize, truncate);
    }
    position++;
    return true;
  });
  return answer({ offset, limit, messages: queue.ready + queue.unacked, next_offset: isMore ? position : null, items });
}

function whole(name: string, text: string | undefined, fallback: number): number {
  if (text === undefined || text === "") return fallback;
  if (/^\d{1,15}$/.test(text)) return Number(text);
  throw badRequest(`'${name}' should be a number`);
}

/** Where a message is, and the id by which it can be deleted or moved. */
function placeRow({ segment, index, unacked, expiresAt }: FoundMessage, position: number): Row {
  return {
    id: messageId(segment.number, index),
    position,
    state: unacked ? "unacked" : "ready",
    ...(expiresAt !== 0 && { expires_at: expiresAt }),
  };
}

function messageId(segment: number, index: number): string {
  return String(segment * segmentMessagesMax + index);
}

/** The place that an id names; undefined when it can be none. */
export function placeOf(id: string): { readonly segment: number; readonly index: number } | undefined {
  if (!/^\d{1,16}$/.test(id) || !Number.isSafeInteger(Number(id))) return undefined;
  const number = Number(id);
  return { segment: Math.floor(number / segmentMessagesMax), index: number % segmentMessagesMax };
}
