import type { Vhost, VhostExchange } from "../../vhost.ts";
import { counter, type Family, gauge, type Metric, type Reading } from "./metric.ts";
import { vhostsOf } from "./queue-families.ts";

/** Some readings for each exchange that clients can name. */
function ofExchanges(
  family: Pick<Family, "name" | "isPerObject" | "isOfCluster"> & { readonly metrics: readonly Metric[] },
  read: (exchange: VhostExchange, vhost: Vhost) => Reading,
): Family {
  return {
    ...family,
    *readings(from, vhosts) {
      // As in RabbitMQ, what is of the cluster is not asked for by vhost.
      for (const vhost of vhostsOf(from, family.isOfCluster === true ? undefined : vhosts)) {
        for (const exchange of vhost.exchanges.values()) if (exchange.name !== "") yield read(exchange, vhost);
      }
    },
  };
}

const publishes = ofExchanges(
  {
    name: "exchange_metrics",
    isPerObject: true,
    metrics: [counter("exchange_messages_published_total", "Total number of messages published into an exchange")],
  },
  (exchange, vhost) => ({
    labels: { vhost: vhost.name, exchange: exchange.name },
    values: [vhost.countersOf(exchange).publishedIn],
  }),
);

const vhostStatus: Family = {
  name: "vhost_status",
  metrics: [gauge("vhost_status", "Whether a given vhost is running")],
  isOfCluster: true,
  *readings(from) {
    for (const { name } of vhostsOf(from, undefined)) yield { labels: { vhost: name }, values: [1] };
  },
};

const bindings = ofExchanges(
  {
    name: "exchange_bindings",
    isOfCluster: true,
    metrics: [gauge("exchange_bindings", "Number of bindings for an exchange. This value is cluster-wide.")],
  },
  (exchange, vhost) => ({ labels: labelsOf(exchange, vhost), values: [exchange.bindingCount] }),
);

const names = ofExchanges(
  {
    name: "exchange_names",
    isOfCluster: true,
    metrics: [
      gauge(
        "exchange_name",
        "Enumerates exchanges without any additional info. This value is cluster-wide. A cheaper alternative to `exchange_bindings`",
      ),
    ],
  },
  (exchange, vhost) => ({ labels: labelsOf(exchange, vhost), values: [1] }),
);

function labelsOf({ name, type }: VhostExchange, vhost: Vhost): Reading["labels"] {
  return { vhost: vhost.name, exchange: name, type };
}

/** Families of exchanges and vhosts, in RabbitMQ's order. */
export const exchangeFamilies: readonly Family[] = [publishes, vhostStatus, bindings, names];
