import type { JSX } from "preact";
import { PolicyLink } from "../lib/links.tsx";
import { at, flag, isRow, type Row, text } from "../lib/row.ts";
import { Badge } from "./page.tsx";

/** What arguments are called in lists, as RabbitMQ abbreviates them. */
const abbreviations: Readonly<Record<string, string>> = {
  "x-message-ttl": "TTL",
  "x-expires": "Exp",
  "x-max-length": "Lim",
  "x-max-length-bytes": "Lim B",
  "x-overflow": "Ovfl",
  "x-dead-letter-exchange": "DLX",
  "x-dead-letter-routing-key": "DLK",
  "x-max-priority": "Pri",
  "x-single-active-consumer": "SAC",
  "x-delivery-limit": "DlL",
  "alternate-exchange": "AE",
};

/** How a queue or exchange was declared, as short labels that explain themselves when pointed at. */
export function Features({ row }: { readonly row: Row }): JSX.Element {
  const args = at(row, "arguments");
  const known = isRow(args) ? Object.entries(args).filter(([name]) => name !== "x-queue-type") : [];
  const policy = text(row, "policy");
  return (
    <span class="badges">
      {flag(row, "durable") && <Badge title="Durable: outlives a restart">D</Badge>}
      {flag(row, "auto_delete") && <Badge title="Deleted when no longer used">AD</Badge>}
      {flag(row, "exclusive") && <Badge title="Exclusive: for one connection">Excl</Badge>}
      {flag(row, "internal") && <Badge title="Internal: clients cannot publish to it">I</Badge>}
      {known.map(([name, value]) => (
        <Badge key={name} title={`${name}: ${JSON.stringify(value)}`}>
          {abbreviations[name] ?? name.replace(/^x-/, "")}
        </Badge>
      ))}
      {policy !== "" && (
        <Badge kind="accent" title="Policy">
          <PolicyLink vhost={text(row, "vhost")} name={policy} />
        </Badge>
      )}
    </span>
  );
}
