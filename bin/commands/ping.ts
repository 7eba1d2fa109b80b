import { connect } from "node:net";
import { type CommandOption, command, text } from "../command.ts";
import { ArgumentError, CommandError, exitCode } from "../command-error.ts";

const protocolHeader = Buffer.from("AMQP\x00\x00\x09\x01", "latin1");

/** Type 1 (method) on channel 0; after the payload's size, class 10 and method 10: connection.start. */
const startFrame = { head: Buffer.of(1, 0, 0), method: Buffer.of(0, 10, 0, 10), methodAt: 7 } as const;

interface Address {
  readonly host: string;
  readonly port: number;
}

/** `ping`: succeeds when a broker answers, over HTTP or, with a port or host, when it begins the AMQP handshake. */
export const pingCommand = command({
  name: "ping",
  group: "Status and health checks",
  summary: "checks that a broker answers; needs no login",
  options: {
    host: text("--host <address>", "ask over AMQP: where the broker is (127.0.0.1)"),
    port: {
      flags: "--port <number>",
      summary: "ask over AMQP: its port (5672)",
      read: (given) => (given === undefined ? undefined : portFrom(String(given))),
    } satisfies CommandOption<number | undefined>,
  },
  run: async (context, _, { host, port }) => {
    const { output, timeoutText } = context;
    if (host === undefined && port === undefined) {
      output.banner(`Will ping ${context.api.url}. Timeout: ${timeoutText}.`);
      await context.api.request("GET", "/auth", { anonymous: true });
    } else {
      const address = { host: host ?? "127.0.0.1", port: port ?? 5672 };
      output.banner(`Will ping ${address.host}:${address.port}. Timeout: ${timeoutText}.`);
      const failure = await pingAmqp(address, context.deadline);
      if (failure !== undefined) {
        throw new CommandError(exitCode.unavailable, `no broker at ${address.host}:${address.port}: ${failure}`);
      }
    }
    output.message("Ping succeeded");
  },
});

/** Resolves with why the broker cannot be used; undefined when it can. */
function pingAmqp({ host, port }: Address, deadline: AbortSignal): Promise<string | undefined> {
  return new Promise((resolve, reject) => {
    let received = Buffer.alloc(0);
    const socket = connect({ host, port, signal: deadline }, () => socket.write(protocolHeader));
    const done = (failure: string | undefined) => {
      socket.destroy();
      resolve(failure);
    };
    socket.on("error", (error) => (deadline.aborted ? reject(error) : done(refusalText(error))));
    socket.on("close", () => done("it closed the connection"));
    socket.on("data", (chunk) => {
      received = Buffer.concat([received, chunk]);
      const answer = answerIn(received);
      if (answer !== "more") done(answer === "start" ? undefined : "it does not speak AMQP 0-9-1");
    });
  });
}

/** What the bytes so far are: the beginning of connection.start, or something else, or too few to tell. */
export function answerIn(received: Buffer): "more" | "start" | "other" {
  const { head, method, methodAt } = startFrame;
  if (!received.subarray(0, head.length).equals(head.subarray(0, received.length))) return "other";
  const end = methodAt + method.length;
  if (received.length < end) return "more";
  return received.subarray(methodAt, end).equals(method) ? "start" : "other";
}

function refusalText(error: Error): string {
  const code = "code" in error ? error.code : undefined;
  return code === "ECONNREFUSED" ? "connection refused" : error.message || String(code);
}

function portFrom(text: string): number {
  const port = Number(text);
  if (/^\d+$/.test(text) && port >= 1 && port <= 65_535) return port;
  throw new ArgumentError(`Invalid options for this command:\n--port : ${text} is not a whole number from 1 to 65535`);
}
