import type { JSX } from "preact";
import { href } from "./router.ts";

/** What the default exchange, whose name is empty, is called. */
export const defaultExchange = "amq.default";

/** The name of an exchange for the API and for people. */
export function shownExchange(name: string): string {
  return name === "" ? defaultExchange : name;
}

export function QueueLink({ vhost, name }: { readonly vhost: string; readonly name: string }): JSX.Element {
  return (
    <a href={href("queues", vhost, name)} class="name" title={name}>
      {name}
    </a>
  );
}

export function ExchangeLink({ vhost, name }: { readonly vhost: string; readonly name: string }): JSX.Element {
  return (
    <a href={href("exchanges", vhost, shownExchange(name))} class="name" title={name}>
      {name === "" ? "(default)" : name}
    </a>
  );
}

export function UserLink({ name }: { readonly name: string }): JSX.Element {
  return <a href={href("users", name)}>{name}</a>;
}

export function VhostLink({ name }: { readonly name: string }): JSX.Element {
  return <a href={href("vhosts", name)}>{name}</a>;
}

export function ConnectionLink({ name }: { readonly name: string }): JSX.Element {
  return (
    <a href={href("connections", name)} class="name" title={name}>
      {name}
    </a>
  );
}

export function ChannelLink({ name }: { readonly name: string }): JSX.Element {
  return (
    <a href={href("channels", name)} class="name" title={name}>
      {name}
    </a>
  );
}

export function PolicyLink({ vhost, name }: { readonly vhost: string; readonly name: string }): JSX.Element {
  return <a href={href("policies", vhost, name)}>{name}</a>;
}
