import { randomInt } from "node:crypto";
import { createServer } from "node:net";

// Below the range systems take outgoing ports from: a broker that is down for a restart must find its port free again.
const portMin = 10_000;
const portsPerWorker = 700;
/** Test files that run at the same time have a part of the ports each: what one found free no other one may take. */
const workersMax = 8;

const firstPort = portMin + (Number(process.env["VITEST_POOL_ID"] ?? 0) % workersMax) * portsPerWorker;
let next = randomInt(portsPerWorker);

/** A TCP port of the loopback interface that nobody listens on, and that was not given out before. */
export async function freePort(): Promise<number> {
  for (let tried = 0; tried < portsPerWorker; tried++) {
    const port = firstPort + (next++ % portsPerWorker);
    if (await isFree(port)) return port;
  }
  throw new Error(`no free port found between ${firstPort} and ${firstPort + portsPerWorker}`);
}

function isFree(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once("error", () => resolve(false));
    server.listen(port, "127.0.0.1", () => server.close(() => resolve(true)));
  });
}
