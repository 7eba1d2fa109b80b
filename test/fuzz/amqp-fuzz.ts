import { connect } from "node:net";
import fc from "fast-check";
import { Answers } from "./answers.ts";
import { conversations, type Frame, fuzzer, opening, startOk, wire } from "./corpus.ts";
import { anyMethods } from "./methods.ts";
import { mutate, mutation, rawMutation, toWire } from "./mutations.ts";

/** A broker's AMQP port. */
export interface FuzzedPort {
  readonly host: string;
  readonly port: number;
}

/** How long the broker may take to close a connection that the client has ended. */
const endMsMax = 20_000;
const protocolHeader = Buffer.from("AMQP\0\0\x09\x01", "latin1");

/** A client that hears nothing for so long ends: the broker may be waiting for the rest of a frame that is none. */
const quietMs = 300;
/** The same before it has heard anything. */
const firstQuietMs = 1000;
/** connection.open-ok: until it comes, a client that does all as it should has nothing else to wait for. */
const openOk = Buffer.from([1, 0, 0, 0, 0, 0, 5, 0, 10, 0, 41, 0, 0xce]);
/** The channel that is opened last: with its answer all is done. */
const lastChannel = 2000;
const lastAnswer = Buffer.from([1, lastChannel >> 8, lastChannel & 255, 0, 0, 0, 8, 0, 20, 0, 11]);

/** The ids of connection.close. */
const closeIds = Buffer.from([0, 10, 0, 50]);

/** Inputs on one connection, each on a channel of its own: one that costs the connection ends them. */
const inputsMax = 20;

/** Once in so many times. */
function seldom<T>(times: number, arbitrary: fc.Arbitrary<T>): fc.Arbitrary<T | undefined> {
  return fc.oneof({ weight: 1, arbitrary }, { weight: times - 1, arbitrary: fc.constant(undefined) });
}

const login = startOk(fuzzer.name, fuzzer.password);

const mutated = fc
  .tuple(fc.constantFrom(...conversations), fc.array(mutation, { minLength: 1, maxLength: 3 }))
  .map(([conversation, mutations]): readonly Frame[] => mutate(conversation, mutations));
const after = fc.record({
  frames: fc.oneof({ weight: 1, arbitrary: mutated }, { weight: 4, arbitrary: anyMethods }),
  raw: seldom(40, rawMutation),
});
const before = fc.record({
  isLoggedIn: fc.boolean(),
  mutations: fc.array(mutation, { minLength: 0, maxLength: 3 }),
  raw: seldom(3, rawMutation),
  header: seldom(8, fc.uint8Array({ minLength: 1, maxLength: 12 })),
});

/** Mutated handshakes: each is a connection. Returns how many inputs the broker has taken. */
export async function fuzzBeforeLogin(broker: FuzzedPort, seed: number, count: number): Promise<number> {
  const inputs = fc.sample(before, { seed, numRuns: count });
  // Who fails to log in must wait for the next attempt: so that is somebody else than who does the rest.
  const sent = inputs.map(({ isLoggedIn, mutations, raw, header }) => {
    const first = header === undefined ? protocolHeader : Buffer.from(header);
    const rest = isLoggedIn ? opening : [startOk("stranger", "unknown"), ...opening];
    return Buffer.concat([first, ...(isLoggedIn ? [wire(login)] : []), toWire(mutate(rest, mutations), raw)]);
  });
  await Promise.all(sent.map((bytes) => exchange(broker, bytes, firstQuietMs)));
  return sent.length;
}

/** Mutated traffic after a login, many inputs on a connection. Returns how many the broker has taken. */
export async function fuzzAfterLogin(broker: FuzzedPort, seed: number, count: number): Promise<number> {
  const inputs = fc.sample(after, { seed, numRuns: count });
  const connections: Promise<number>[] = [];
  for (let from = 0; from < count; from += inputsMax) {
    const bytes = inputs.slice(from, from + inputsMax).map(({ frames, raw }, i) => {
      const channel = i + 1;
      const own = frames.map((frame) => moved(frame, channel));
      return Buffer.concat([wire(open(channel)), toWire(own, raw)]);
    });
    connections.push(
      exchange(
        broker,
        Buffer.concat([protocolHeader, wire(login), ...opening.map(wire), ...bytes, wire(open(lastChannel))]),
        undefined,
      ),
    );
  }
  const taken = await Promise.all(connections);
  return taken.reduce((sum, each) => sum + each, 0);
}

/** Frames for channel 1 go to the input's own. */
function moved(frame: Frame, channel: number): Frame {
  return frame.channel === 1 ? { ...frame, channel } : frame;
}

function open(channel: number): Frame {
  return { type: 1, channel, payload: Buffer.from([0, 20, 0, 10, 0]) };
}

/**
 * Sends bytes, ends, and reads to the end what the broker has to say, which must be AMQP, no fault of its own, and come to
 * an end. Returns how many channels it has opened. Without a time to wait for the first answer, it waits for the login.
 */
function exchange({ host, port }: FuzzedPort, bytes: Buffer, firstMs: number | undefined): Promise<number> {
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = [];
    const socket = connect({ host, port, allowHalfOpen: true }, () => socket.write(bytes));
    const end = (): void => {
      if (!socket.writableEnded) socket.end();
    };
    let isIn = firstMs !== undefined;
    let quiet = setTimeout(end, firstMs ?? endMsMax);
    const timer = setTimeout(() => {
      socket.destroy();
      reject(new Error(`the broker did not close the connection in ${endMsMax} ms`));
    }, endMsMax);
    socket.on("data", (chunk) => {
      chunks.push(chunk);
      isIn ||= chunk.includes(openOk);
      if (chunk.includes(lastAnswer) || hasClose(chunk)) end();
      if (!isIn) return;
      clearTimeout(quiet);
      quiet = setTimeout(end, quietMs);
    });
    // The broker may close while we still send; that nobody listens is another matter.
    socket.on("error", (error: NodeJS.ErrnoException) => {
      if (error.code === "ECONNREFUSED") reject(error);
    });
    socket.on("close", () => {
      clearTimeout(timer);
      clearTimeout(quiet);
      try {
        const { opened } = new Answers(Buffer.concat(chunks));
        resolve(opened.filter((channel) => channel !== lastChannel).length);
      } catch (error) {
        reject(error);
      }
    });
  });
}

/** Whether connection.close is in it: a frame of a method on channel 0, of some size, with these ids. */
function hasClose(chunk: Buffer): boolean {
  const at = chunk.indexOf(closeIds);
  return at >= 7 && chunk[at - 7] === 1 && chunk.readUInt16BE(at - 6) === 0;
}
