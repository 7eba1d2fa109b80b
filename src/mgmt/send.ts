import { pipeline, Readable } from "node:stream";
import { promisify } from "node:util";
import { constants, createGzip, gzip } from "node:zlib";
import type { FastifyReply, FastifyRequest } from "fastify";
import { writeJson } from "../exact-json.ts";
import type { Answer } from "./call.ts";
import { hasLazyList, jsonChunks } from "./json-stream.ts";

/** A shorter answer fits a packet anyway. */
const gzipBytesMin = 1024;
/** Rows repeat their names: the quickest level saves most of what there is to save. */
const gzipOptions = { level: constants.Z_BEST_SPEED };
const gzipped = promisify<string, { level: number }, Buffer>(gzip);

/** Sends an answer: a long list piece by piece, and compressed to who asks for that. */
export async function sendAnswer(request: FastifyRequest, reply: FastifyReply, answer: Answer): Promise<FastifyReply> {
  const { status, body, stream, headers } = answer;
  reply.code(status).header("vary", "accept, accept-encoding, origin");
  if (headers !== undefined) reply.headers(headers);
  if (stream !== undefined) return reply.send(stream);
  if (body === undefined) return reply.send();
  reply.header("cache-control", "no-cache").type("application/json");
  const zips = acceptsGzip(request.headers["accept-encoding"]);
  if (!hasLazyList(body)) return await sendText(reply, writeJson(body), zips);
  const pieces = Readable.from(jsonChunks(body), { objectMode: false });
  if (!zips) return reply.send(pieces);
  // An error, a client that left above all, ends both streams: there is nobody to tell of it.
  return reply.header("content-encoding", "gzip").send(pipeline(pieces, createGzip(gzipOptions), () => {}));
}

async function sendText(reply: FastifyReply, text: string, zips: boolean): Promise<FastifyReply> {
  if (!zips || text.length < gzipBytesMin) return reply.send(text);
  const zipped = await gzipped(text, gzipOptions);
  return reply.header("content-encoding", "gzip").send(zipped);
}

/** Whether gzip is named, and not with a quality of 0. */
function acceptsGzip(header: string | string[] | undefined): boolean {
  return /\bgzip\b(?!\s*;\s*q=0(?:\.0*)?\s*(?:,|$))/i.test(String(header ?? ""));
}
