/** FNV-1a over the UTF-8 of a text, with its bits mixed once more: 32 bits that differ when texts do a little. */
export function hashText(text: string): number {
  let hash = 0x811c9dc5;
  for (const byte of Buffer.from(text, "utf8")) hash = Math.imul(hash ^ byte, 0x01000193);
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35);
  return (hash ^ (hash >>> 16)) >>> 0;
}

/**
 * Jump consistent hash (Lamping and Veach, 2014): a bucket below `buckets` for the hash of a key. With one bucket
 * more, only every so many keys move, and all of those into the new one.
 */
export function jumpHash(hash: number, buckets: number): number {
  let seed = hash;
  let bucket = 0;
  for (let next = 0; next < buckets; next = Math.floor((bucket + 1) / uniform(seed))) {
    bucket = next;
    seed = step(seed);
  }
  return bucket;
}

function step(seed: number): number {
  return (seed + 0x9e3779b9) >>> 0;
}

/** A number above 0 and up to 1 for each seed. */
function uniform(seed: number): number {
  let mixed = Math.imul(seed ^ (seed >>> 16), 0x21f0aaad);
  mixed = Math.imul(mixed ^ (mixed >>> 15), 0x735a2d97);
  return (((mixed ^ (mixed >>> 15)) >>> 0) + 1) / 2 ** 32;
}
