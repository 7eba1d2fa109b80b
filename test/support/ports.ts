import { randomInt } from "node:crypto";
import { createServer } from "node:net";

// Below the range systems take outgoing ports from: a broker that is down for a restart must find its port free again.
const portMin = 20_000;
const portMax = 32_000;

/** A TCP port of the loopback interface that nobody listens on. */
export async function freePort(): Promise<number> {
  for (let attempt = 0; attempt < 100; attempt++) {
    const port = randomInt(portMin, portMax);
    if (await isFree(port)) return port;
  }
  throw new Error(`no free port found between ${portMin} and ${portMax}`);
}

function isFree(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once("error", () => resolve(false));
    server.listen(port, "127.0.0.1", () => server.close(() => resolve(true)));
  });
}
