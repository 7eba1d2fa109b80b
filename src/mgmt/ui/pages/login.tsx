import type { JSX } from "preact";
import { useState } from "preact/hooks";
import { Form, TextField } from "../components/form.tsx";
import { logIn, logOutReason } from "../lib/session.ts";
import { useStore } from "../lib/store.ts";

/** The same users, and the same rights, as the HTTP API has. */
export function LoginPage(): JSX.Element {
  const [name, setName] = useState("");
  const [password, setPassword] = useState("");
  const reason = useStore(logOutReason);
  const submit = async (): Promise<void> => {
    const refusal = await logIn(name, password);
    if (refusal !== undefined) throw new Error(refusal);
  };
  return (
    <main class="login">
      <div class="card">
        <h1 class="brand">
          <i aria-hidden="true" /> tsbroker
        </h1>
        {reason !== "" && <p class="notice">{reason}</p>}
        <Form action="Log in" onSubmit={submit}>
          <TextField label="User name" value={name} onChange={setName} autocomplete="username" required />
          <TextField
            label="Password"
            type="password"
            value={password}
            onChange={setPassword}
            autocomplete="current-password"
          />
        </Form>
      </div>
    </main>
  );
}
