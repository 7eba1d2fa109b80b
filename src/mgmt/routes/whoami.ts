import type { Api } from "../api.ts";
import { answer } from "../call.ts";

/** `/api/whoami` and `/api/auth`: who asks, and how one may log in. */
export function whoamiRoutes(api: Api): void {
  api.get("/whoami", "management", ({ user }) => answer({ name: user.name, tags: user.tags, is_internal_user: true }));
  api.get("/auth", "public", () => answer({ oauth_enabled: false }));
}
