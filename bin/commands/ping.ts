import { connect } from "node:net";
import { Command, InvalidArgumentError } from "commander";
import { exitStatus, fail } from "../program.ts";

const protocolHeader = Buffer.from("AMQP\x00\x00\x09\x01", "latin1");

/** Type 1 (method) on channel 0; after the payload's size, class 10 and method 10: connection.start. */
const startFrame = { head: Buffer.of(1, 0, 0), method: Buffer.of(0, 10, 0, 10), methodAt: 7 } as const;

interface PingOptions {
  readonly host: string;
  readonly port: number;
  readonly timeout: number;
}

/** `brokerctl ping`: succeeds when a broker at the address begins the AMQP handshake. */
export function pingCommand(print: (line: string) => void): Command {
  return new Command("ping")
    .description("check that a broker answers AMQP")
    .option("--host <address>", "where the broker is", "127.0.0.1")
    .option("--port <number>", "its AMQP port", upTo(65_535), 5672)
    .option("-t, --timeout <seconds>", "how long to wait for an answer", upTo(86_400), 60)
    .action(async (options: PingOptions) => {
      const failure = await ping(options);
      if (failure !== undefined) {
        fail("brokerctl", exitStatus.unavailable, `no broker at ${options.host}:${options.port}: ${failure}`);
      }
      print("Ping succeeded");
    });
}

/** Resolves with why the broker cannot be used; undefined when it can. */
function ping({ host, port, timeout }: PingOptions): Promise<string | undefined> {
  return new Promise((resolve) => {
    let received = Buffer.alloc(0);
    const socket = connect({ host, port, timeout: timeout * 1000 }, () => socket.write(protocolHeader));
    const done = (failure: string | undefined) => {
      socket.destroy();
      resolve(failure);
    };
    socket.on("timeout", () => done(`no answer within ${timeout} s`));
    socket.on("error", (error) => done(refusalText(error)));
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

/** Reads a whole number from 1 to `max`. */
function upTo(max: number): (text: string) => number {
  return (text) => {
    const value = Number(text);
    if (/^\d+$/.test(text) && value >= 1 && value <= max) return value;
    throw new InvalidArgumentError(`It is not a whole number from 1 to ${max}.`);
  };
}
