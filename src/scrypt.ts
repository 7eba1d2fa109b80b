import { randomBytes, scrypt, timingSafeEqual } from "node:crypto";
import { availableParallelism } from "node:os";

/*
 * A hash in our own form, before base64: what it costs, a salt and the key.
 *
 *     | log2 N 1 | r 1 | p 1 | salt 16 | key 32 |
 */
const headSize = 3;
const saltSize = 16;
const keySize = 32;

/** As dear as OWASP asks for: 16 MiB of memory and some 150 ms of one processor. */
const cost: Cost = { log2N: 14, r: 8, p: 5 };

/** Dearer hashes than this, from elsewhere, are not worked out. */
const memoryBytesMax = 64 * 1024 * 1024;
const pMax = 16;

interface Cost {
  readonly log2N: number;
  readonly r: number;
  readonly p: number;
}

/** A hash as it was stored. */
interface Parts {
  readonly cost: Cost;
  readonly salt: Buffer;
  readonly key: Buffer;
}

/** Hashes a password with a salt of its own. */
export async function scryptHash(password: string): Promise<string> {
  const salt = randomBytes(saltSize);
  const key = await derive(password, salt, cost);
  return Buffer.concat([Buffer.of(cost.log2N, cost.r, cost.p), salt, key]).toString("base64");
}

/** Whether the hash was made of this password. One that is not in our form matches none, and takes as long as one that is. */
export async function scryptMatches(password: string, hash: string): Promise<boolean> {
  const parts = partsOf(Buffer.from(hash, "base64"));
  const key = await derive(password, parts?.salt ?? Buffer.alloc(saltSize), parts?.cost ?? cost);
  return parts !== undefined && timingSafeEqual(key, parts.key);
}

function partsOf(bytes: Buffer): Parts | undefined {
  if (bytes.length !== headSize + saltSize + keySize) return undefined;
  const [log2N = 0, r = 0, p = 0] = bytes;
  const isBearable = log2N > 0 && log2N < 32 && r > 0 && p > 0 && p <= pMax && 128 * r * 2 ** log2N <= memoryBytesMax;
  if (!isBearable) return undefined;
  const salt = bytes.subarray(headSize, headSize + saltSize);
  return { cost: { log2N, r, p }, salt, key: bytes.subarray(headSize + saltSize) };
}

/** Passwords that are worked on at once, beside the broker's own thread; the others wait for their turn. */
const atOnceMax = Math.max(1, Math.min(2, availableParallelism() - 1));
let atOnce = 0;
const waiting: (() => void)[] = [];

async function derive(password: string, salt: Buffer, { log2N, r, p }: Cost): Promise<Buffer> {
  if (atOnce >= atOnceMax) await new Promise<void>((resolve) => waiting.push(resolve));
  else atOnce++;
  try {
    return await new Promise<Buffer>((resolve, reject) => {
      const options = { N: 2 ** log2N, r, p, maxmem: 2 * memoryBytesMax };
      scrypt(password, salt, keySize, options, (error, key) => (error === null ? resolve(key) : reject(error)));
    });
  } finally {
    const next = waiting.shift();
    if (next === undefined) atOnce--;
    else next();
  }
}
