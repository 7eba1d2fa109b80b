// A process that fills a store until it is killed: `node --import tsx store-traffic.ts <directory>`. It prints a line
// for each message once it is committed, and for what the store's listener hears.
import { segment } from "./store.ts";
import { ThreadedStore } from "./threaded-store.ts";

/** Messages of each segment. */
export const trafficSegmentMessages = 100;

/** The record of message `n`. */
export function trafficRecord(n: number): Buffer {
  return Buffer.from(`message ${n} `.repeat(1 + (n % 50)));
}

function print(line: string): void {
  process.stdout.write(`${line}\n`);
}

async function run(directory: string): Promise<void> {
  const store = new ThreadedStore({
    directory,
    listener: {
      storeFailing: () => print("failing"),
      storeRecovered: () => print("recovered"),
      storeMended: () => print("mended"),
      storeUntidy: () => print("untidy"),
      storeDamaged: () => print("damaged"),
    },
    onCrash: (error) => {
      throw error;
    },
  });
  await store.open();
  let next = 0;
  const publish = (): void => {
    const first = next;
    next += 10;
    store.mark(
      {
        pack: (batch) => {
          const number = 1 + Math.floor(first / trafficSegmentMessages);
          batch.segment(segment(number, (first % trafficSegmentMessages) + 10));
          for (let n = first; n < first + 10; n++) {
            const record = trafficRecord(n);
            batch.message(number, n % trafficSegmentMessages, 0, 0, record, 0, record.length);
            batch.wait({ committed: (tag) => print(`committed ${tag}`) }, n);
          }
          return false;
        },
      },
      0,
    );
    // While nothing can be written no more is added: publishers are blocked then.
    if (next - 10 * store.committed < 10_000) setImmediate(publish);
    else store.whenCommitted(store.gathering, publish);
  };
  publish();
}

const [script, directory] = process.argv.slice(1);
if (script === import.meta.filename && directory !== undefined) await run(directory);
