import { randomInt } from "node:crypto";
import { createServer } from "node:net";

/*
 * Below the range systems take outgoing ports from: a broker that is down for a restart must find its port free again.
 * Test files that run at the same time have a part each, so that what one found free no other takes; runs of their own share the rest.
 */
const portsPerWorker = 1400;
const workersMax = 4;
const worker = process.env["VITEST_POOL_ID"];
const [firstPort, ports] =
  worker === undefined ? [20_000, 12_000] : [10_000 + (Number(worker) % workersMax) * portsPerWorker, portsPerWorker];
let next = randomInt(ports);

/** A TCP port of the loopback interface that nobody listens on, and that was not given out of late. */
export async function freePort(): Promise<number> {
  for (let tried = 0; tried < ports; tried++) {
    const port = firstPort + (next++ % ports);
    if (await isFree(port)) return port;
  }
  throw new Error(`no free port found between ${firstPort} and ${firstPort + ports}`);
}

function isFree(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once("error", () => resolve(false));
    server.listen(port, "127.0.0.1", () => server.close(() => resolve(true)));
  });
}
