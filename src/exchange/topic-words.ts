/*
 * The words of routing keys and patterns, read in place: words are what dots separate; they may be empty. An offset
 * behind the end of the text by one tells that no word is left.
 */

const dot = 46;
const star = 42;
const hash = 35;

/** Where the first word starts: an empty text has none at all (as in RabbitMQ). */
export function firstWord(text: string): number {
  return text === "" ? 1 : 0;
}

/** The end of the word that starts at an offset; the next one starts behind the dot that stands there. */
export function wordEnd(text: string, start: number): number {
  const end = text.indexOf(".", start);
  return end < 0 ? text.length : end;
}

/** True when a pattern's words from an offset on have `#` at most as the last of them. */
export function isLinear(pattern: string, from: number): boolean {
  for (let start = from; start < pattern.length; start = wordEnd(pattern, start) + 1) {
    if (isWord(pattern, start, hash)) return start === pattern.length - 1;
  }
  return true;
}

/** Whether the words of a key from an offset on match a pattern that has `#` at most as its last word. */
export function matchesLinear(pattern: string, key: string, from: number): boolean {
  let at = from;
  for (let start = 0; start <= pattern.length; ) {
    if (isWord(pattern, start, hash)) return true;
    if (at > key.length) return false;
    if (isWord(pattern, start, star)) start += 2;
    else {
      const length = sameWord(pattern, start, key, at);
      if (length < 0) return false;
      start += length + 1;
    }
    at = wordEnd(key, at) + 1;
  }
  return at > key.length;
}

/** Whether a word is this one character. */
function isWord(pattern: string, start: number, character: number): boolean {
  return pattern.charCodeAt(start) === character && codeOrDot(pattern, start + 1) === dot;
}

/** The length of the word that starts at an offset of each; -1 when they differ. */
function sameWord(pattern: string, start: number, key: string, at: number): number {
  for (let length = 0; ; length++) {
    const code = codeOrDot(pattern, start + length);
    if (code !== codeOrDot(key, at + length)) return -1;
    if (code === dot) return length;
  }
}

/** Texts end as words do. */
function codeOrDot(text: string, at: number): number {
  return at < text.length ? text.charCodeAt(at) : dot;
}
