import type { JSX } from "preact";
import { live } from "../lib/live.ts";
import { Store, useStore } from "../lib/store.ts";

interface Toast {
  readonly id: number;
  readonly kind: "done" | "failed";
  readonly text: string;
}

const toasts = new Store<readonly Toast[]>([]);
const shownMs = 6000;
const toastsMax = 4;
let lastId = 0;

/** Says what happened. What failed stays until it is closed. */
export function say(kind: Toast["kind"], text: string): void {
  const toast = { id: ++lastId, kind, text };
  toasts.set([...toasts.value, toast].slice(-toastsMax));
  if (kind === "done") setTimeout(() => close(toast.id), shownMs);
}

function close(id: number): void {
  toasts.set(toasts.value.filter((toast) => toast.id !== id));
}

/** Does something, says how it went, and looks at the page's data again. True when it was done. */
export async function act(
  done: string | ((answer: unknown) => string),
  work: () => Promise<unknown>,
): Promise<boolean> {
  try {
    const answer = await work();
    say("done", typeof done === "string" ? done : done(answer));
    live.refresh();
    return true;
  } catch (error) {
    say("failed", reasonText(error));
    return false;
  }
}

/** Why something failed, for a person. */
export function reasonText(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

export function Toasts(): JSX.Element {
  return (
    <div class="toasts" role="status" aria-live="polite">
      {useStore(toasts).map(({ id, kind, text }) => (
        <div key={id} class={`toast ${kind}`}>
          <span>{text}</span>
          <button type="button" class="plain" aria-label="Close message" onClick={() => close(id)}>
            ×
          </button>
        </div>
      ))}
    </div>
  );
}
