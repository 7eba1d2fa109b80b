import type { ComponentChildren, JSX, TargetedInputEvent } from "preact";
import { useId, useState } from "preact/hooks";
import { reasonText } from "./toasts.tsx";

/** A field with its label, and what to know about it below. */
export function Field(props: {
  readonly label: string;
  readonly hint?: string | undefined;
  readonly children: (id: string) => ComponentChildren;
}): JSX.Element {
  const id = useId();
  return (
    <div class="field">
      <label for={id}>{props.label}</label>
      {props.children(id)}
      {props.hint !== undefined && <small>{props.hint}</small>}
    </div>
  );
}

interface Input {
  readonly label: string;
  readonly value: string;
  readonly onChange: (value: string) => void;
  readonly hint?: string | undefined;
}

export function TextField(
  props: Input & {
    readonly type?: "text" | "password" | "number";
    readonly required?: boolean;
    readonly placeholder?: string;
    readonly options?: readonly string[] | undefined;
    readonly autocomplete?: string;
  },
): JSX.Element {
  const { label, value, onChange, hint, type = "text", required = false, placeholder = "", options } = props;
  const input = {
    value,
    required,
    placeholder,
    autocomplete: props.autocomplete ?? "off",
    spellcheck: false,
    onInput: (event: TargetedInputEvent<HTMLInputElement>) => onChange(event.currentTarget.value),
  };
  return (
    <Field label={label} hint={hint}>
      {(id) => (
        <>
          {type === "password" ? (
            <input {...input} id={id} type="password" />
          ) : (
            <input
              {...input}
              id={id}
              type="text"
              inputMode={type === "number" ? "numeric" : "text"}
              list={options === undefined ? undefined : `${id}-options`}
            />
          )}
          {options !== undefined && (
            <datalist id={`${id}-options`}>
              {options.map((option) => (
                <option key={option} value={option} />
              ))}
            </datalist>
          )}
        </>
      )}
    </Field>
  );
}

export function TextArea({ label, value, onChange, hint, rows = 5 }: Input & { readonly rows?: number }): JSX.Element {
  return (
    <Field label={label} hint={hint}>
      {(id) => (
        <textarea id={id} rows={rows} spellcheck={false} onInput={(event) => onChange(event.currentTarget.value)}>
          {value}
        </textarea>
      )}
    </Field>
  );
}

export function Choice(
  props: Input & { readonly options: readonly (string | readonly [value: string, text: string])[] },
): JSX.Element {
  return (
    <Field label={props.label} hint={props.hint}>
      {(id) => (
        <select id={id} value={props.value} onChange={(event) => props.onChange(event.currentTarget.value)}>
          {props.options.map((option) => {
            const [value, shown] = typeof option === "string" ? [option, option] : option;
            return (
              <option key={value} value={value} selected={value === props.value}>
                {shown}
              </option>
            );
          })}
        </select>
      )}
    </Field>
  );
}

export function Tick(props: {
  readonly label: string;
  readonly value: boolean;
  readonly onChange: (value: boolean) => void;
  readonly hint?: string;
}): JSX.Element {
  return (
    <label class="tick">
      <input type="checkbox" checked={props.value} onChange={(event) => props.onChange(event.currentTarget.checked)} />
      <span>
        {props.label}
        {props.hint !== undefined && <small>{props.hint}</small>}
      </span>
    </label>
  );
}

/** A form that keeps what was entered until it worked, and says why when it did not. */
export function Form(props: {
  readonly action: string;
  readonly onSubmit: () => Promise<unknown>;
  readonly onCancel?: (() => void) | undefined;
  readonly danger?: boolean;
  readonly children: ComponentChildren;
}): JSX.Element {
  const [error, setError] = useState("");
  const [isBusy, setBusy] = useState(false);
  const submit = async (): Promise<void> => {
    setBusy(true);
    setError("");
    await props.onSubmit().catch((reason: unknown) => setError(reasonText(reason)));
    setBusy(false);
  };
  return (
    <form
      class="stack"
      onSubmit={(event) => {
        event.preventDefault();
        void submit();
      }}
    >
      {props.children}
      {error !== "" && (
        <p class="form-error" role="alert">
          {error}
        </p>
      )}
      <footer>
        {props.onCancel !== undefined && (
          <button type="button" onClick={props.onCancel}>
            Cancel
          </button>
        )}
        <button type="submit" class={props.danger === true ? "danger" : "primary"} disabled={isBusy}>
          {props.action}
        </button>
      </footer>
    </form>
  );
}
