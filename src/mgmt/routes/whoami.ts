import type { Api } from "../api.ts";
import type { Guard } from "../auth.ts";
import { answer, done } from "../call.ts";

/** `/api/whoami`, `/api/auth` and `/api/login`: who asks, and how one may log in. */
export function whoamiRoutes(api: Api, guard: Guard): void {
  api.get("/whoami", "management", ({ user }) => answer({ name: user.name, tags: user.tags, is_internal_user: true }));
  api.get("/auth", "public", () => answer({ oauth_enabled: false }));
  api.post("/login", "public", async (call) => {
    const form = new URLSearchParams(call.text);
    const [username, password] = [form.get("username") ?? "", form.get("password") ?? ""];
    const { name, tags } = await guard.logInWith(username, password, call.address);
    const value = Buffer.from(`${username}:${password}`).toString("base64");
    return answer({ token: { type: "basic", value }, user: { name, tags } });
  });
  api.delete("/login", "public", () => done);
}
