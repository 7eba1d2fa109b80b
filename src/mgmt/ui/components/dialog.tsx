import type { ComponentChildren, JSX } from "preact";
import { useEffect, useRef, useState } from "preact/hooks";
import { Store, useStore } from "../lib/store.ts";

/** A dialog above the page; Escape and the × close it. */
export function Dialog(props: {
  readonly title: string;
  readonly onClose: () => void;
  readonly wide?: boolean;
  readonly children: ComponentChildren;
}): JSX.Element {
  const { title, onClose, wide = false, children } = props;
  const element = useRef<HTMLDialogElement>(null);
  useEffect(() => element.current?.showModal(), []);
  return (
    <dialog
      ref={element}
      class={wide ? "wide" : ""}
      aria-labelledby="dialog-title"
      onClose={onClose}
      onCancel={onClose}
    >
      <header>
        <h2 id="dialog-title">{title}</h2>
        <button type="button" class="plain" aria-label="Close" onClick={onClose}>
          ×
        </button>
      </header>
      {children}
    </dialog>
  );
}

/** What somebody is asked before something is destroyed. */
interface Question {
  readonly title: string;
  /** What will be gone, and what will not. */
  readonly body: ComponentChildren;
  /** What the button says: the act, not "OK". */
  readonly action: string;
  /** A name that must be typed first, where very much would be lost. */
  readonly typed?: string | undefined;
  readonly answer: (yes: boolean) => void;
}

const question = new Store<Question | undefined>(undefined);

/** Asks; resolves to whether the act was confirmed. */
export function confirmed(asked: Omit<Question, "answer">): Promise<boolean> {
  question.value?.answer(false);
  return new Promise((resolve) => {
    question.set({
      ...asked,
      answer: (yes) => {
        question.set(undefined);
        resolve(yes);
      },
    });
  });
}

/** Where questions appear. */
export function Questions(): JSX.Element | null {
  const asked = useStore(question);
  return asked === undefined ? null : <QuestionDialog key={asked.title} {...asked} />;
}

function QuestionDialog({ title, body, action, typed, answer }: Question): JSX.Element {
  const [text, setText] = useState("");
  const isReady = typed === undefined || text === typed;
  return (
    <Dialog title={title} onClose={() => answer(false)}>
      <form
        class="stack"
        onSubmit={(event) => {
          event.preventDefault();
          if (isReady) answer(true);
        }}
      >
        <div class="question">{body}</div>
        {typed !== undefined && (
          <label class="field">
            <span>
              Type <b>{typed}</b> to go on
            </span>
            <input value={text} onInput={(event) => setText(event.currentTarget.value)} autocomplete="off" />
          </label>
        )}
        <footer>
          <button type="button" onClick={() => answer(false)}>
            Cancel
          </button>
          <button type="submit" class="danger" disabled={!isReady}>
            {action}
          </button>
        </footer>
      </form>
    </Dialog>
  );
}
