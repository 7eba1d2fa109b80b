import { live } from "./live.ts";
import { remember, remembered } from "./preferences.ts";
import { Store } from "./store.ts";

/** The vhost that lists are about; the empty name is for all. */
export const chosenVhost = new Store<string>(remembered("vhost") ?? "");
live.vhost = chosenVhost.value;

export function chooseVhost(name: string): void {
  chosenVhost.set(name);
  remember("vhost", name);
  live.vhost = name;
}
