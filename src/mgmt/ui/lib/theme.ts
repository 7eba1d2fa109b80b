import { remember, remembered } from "./preferences.ts";
import { Store } from "./store.ts";

/** Light or dark, or as the system is. */
export const themes = ["auto", "light", "dark"] as const;
export type Theme = (typeof themes)[number];

const kept = remembered("theme");

export const theme = new Store<Theme>(themes.find((name) => name === kept) ?? "auto");
/** Counts changes of what colours are in use: charts are drawn anew. */
export const coloursChanged = new Store(0);

/** Puts the theme into force. */
export function useTheme(name: Theme): void {
  theme.set(name);
  remember("theme", name);
  apply();
}

function apply(): void {
  document.documentElement.dataset["theme"] = theme.value;
  coloursChanged.set(coloursChanged.value + 1);
}

apply();
matchMedia("(prefers-color-scheme: dark)").addEventListener("change", apply);
