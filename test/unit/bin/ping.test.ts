import { createServer, type Server, type Socket } from "node:net";
import { afterEach, expect, it } from "vitest";
import { answerIn } from "../../../bin/commands/ping.ts";
import { runInProcess } from "../../support/brokerctl.ts";

let server: Server | undefined;

afterEach(() => server?.close());

const start = Buffer.of(1, 0, 0, 0, 0, 0, 4, 0, 10, 0, 10, 0xce);

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

it("succeeds when the protocol header is answered by connection.start", async () => {
  const received: Buffer[] = [];
  const port = await listening((socket) => {
    socket.on("data", (chunk) => {
      received.push(chunk);
      socket.write(start);
    });
  });
  const outcome = await runInProcess(["ping", "-q", "--port", String(port)]);
  expect(outcome).toEqual({ exitCode: 0, stdout: "Ping succeeded\n", stderr: "" });
  expect(Buffer.concat(received).toString("latin1")).toBe("AMQP\x00\x00\x09\x01");
});

it("takes the answer byte by byte", () => {
  const answers = [...start.keys()].map((size) => answerIn(start.subarray(0, size + 1)));
  expect(answers).toEqual([...Array(10).fill("more"), "start", "start"]);
});

it.each(["HTTP/1.1 400 Bad Request", "AMQP\x00\x00\x09\x01", "A", "\x01\x00\x00\x00\x00\x00\x04\x00\x0a\x00\x32"])(
  "does not take %j for an answer",
  (text) => {
    expect(answerIn(Buffer.from(text, "latin1"))).toBe("other");
  },
);
