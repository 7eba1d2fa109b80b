import { createServer, type Server, type Socket } from "node:net";
import { afterEach, expect, it } from "vitest";
import { pingCommand } from "../../../bin/commands/ping.ts";

let server: Server | undefined;

afterEach(() => server?.close());

/** Listens on a free port of this machine. */
function listening(onSocket: (socket: Socket) => void): Promise<number> {
  return new Promise((resolve) => {
    const listener = createServer(onSocket).listen(0, "127.0.0.1", () => {
      const address = listener.address();
      resolve(typeof address === "object" && address !== null ? address.port : 0);
    });
    server = listener;
  });
}

it("succeeds when the protocol header is answered by connection.start, even in pieces", async () => {
  const received: Buffer[] = [];
  const port = await listening((socket) => {
    socket.on("data", (chunk) => {
      received.push(chunk);
      socket.write(Buffer.of(1, 0, 0));
      setImmediate(() => socket.write(Buffer.of(0, 0, 0, 4, 0, 10, 0, 10, 0xce)));
    });
  });
  const printed: string[] = [];
  await pingCommand((line) => printed.push(line)).parseAsync(["--port", String(port)], { from: "user" });
  expect(printed).toEqual(["Ping succeeded"]);
  expect(Buffer.concat(received).toString("latin1")).toBe("AMQP\x00\x00\x09\x01");
});
