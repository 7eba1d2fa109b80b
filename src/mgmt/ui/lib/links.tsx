import type { JSX } from "preact";
import { href } from "./router.ts";

/** What the default exchange, whose name is empty, is called. */
export const defaultExchange = "amq.default";

/** The name of an exchange for the API and for people. */
export function shownExchange(name: string): string {
  return name === "" ? defaultExchange : name;
}

interface LinkProps {
  readonly to: string;
  readonly text: string;
  /** Long names are cut to their column; the title has them whole. */
  readonly isLong?: boolean;
}

/** A link to an object's page; nothing while the name is not known yet. */
function ObjectLink({ to, text, isLong = false }: LinkProps): JSX.Element | null {
  if (text === "") return null;
  if (!isLong) return <a href={to}>{text}</a>;
  return (
    <a href={to} class="name" title={text}>
      {text}
    </a>
  );
}

export function QueueLink({ vhost, name }: { readonly vhost: string; readonly name: string }): JSX.Element {
  return <ObjectLink to={href("queues", vhost, name)} text={name} isLong />;
}

export function ExchangeLink({ vhost, name }: { readonly vhost: string; readonly name: string }): JSX.Element {
  const text = name === "" ? "(default)" : name;
  return <ObjectLink to={href("exchanges", vhost, shownExchange(name))} text={text} isLong />;
}

export function UserLink({ name }: { readonly name: string }): JSX.Element {
  return <ObjectLink to={href("users", name)} text={name} />;
}

export function VhostLink({ name }: { readonly name: string }): JSX.Element {
  return <ObjectLink to={href("vhosts", name)} text={name} />;
}

export function ConnectionLink({ name }: { readonly name: string }): JSX.Element {
  return <ObjectLink to={href("connections", name)} text={name} isLong />;
}

export function ChannelLink({ name }: { readonly name: string }): JSX.Element {
  return <ObjectLink to={href("channels", name)} text={name} isLong />;
}

export function PolicyLink({ vhost, name }: { readonly vhost: string; readonly name: string }): JSX.Element {
  return <ObjectLink to={href("policies", vhost, name)} text={name} />;
}
