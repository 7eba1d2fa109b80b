import type { JSX } from "preact";
import { useMemo, useState } from "preact/hooks";
import { Field, TextField } from "../components/form.tsx";
import { Empty, Failure, PageHead, Section } from "../components/page.tsx";
import { RouteFinder } from "../components/route-finder.tsx";
import { TopologyGraph } from "../components/topology-graph.tsx";
import { firstVhost, VhostField } from "../components/vhost-field.tsx";
import { path } from "../lib/api.ts";
import { defaultExchange, shownExchange } from "../lib/links.tsx";
import { useLive } from "../lib/live.ts";
import { setQuery, useRoute } from "../lib/router.ts";
import { at, number, rowsOf, text, texts } from "../lib/row.ts";
import { draw, topologyOf } from "../lib/topology.ts";

/** As many of each kind are looked at; beyond that the picture says so. */
const rowsMax = 500;

/** A picture of one vhost: what is bound to what, who consumes, how much goes where. */
export function TopologyPage(): JSX.Element {
  const { query } = useRoute();
  const vhost = query.get("vhost") ?? firstVhost();
  const focus = query.get("focus") ?? "";
  const [exchange, setExchange] = useState("");
  const [route, setRoute] = useState<unknown>(undefined);
  const page = `page=1&page_size=${rowsMax}`;
  const exchanges = useLive(`${path`/exchanges/${vhost}`}?${page}`);
  const queues = useLive(
    `${path`/queues/${vhost}`}?${page}&sort=messages&sort_reverse=true&columns=name,messages,message_stats.publish_details.rate,arguments,effective_policy_definition`,
  );
  const bindings = useLive(`${path`/bindings/${vhost}`}?${page}&sort=source&sort_reverse=true`);
  const consumers = useLive(`${path`/consumers/${vhost}`}?${page}`);
  const topology = useMemo(
    () =>
      topologyOf(
        {
          exchanges: rowsOf(exchanges.data),
          queues: rowsOf(queues.data),
          bindings: rowsOf(bindings.data),
          consumers: rowsOf(consumers.data),
        },
        focus,
      ),
    [exchanges.data, queues.data, bindings.data, consumers.data, focus],
  );
  const shape = JSON.stringify([topology.nodes.map(({ id }) => id), topology.edges]);
  const drawing = useMemo(() => draw(topology), [shape]);
  const isCut = [exchanges, queues, bindings, consumers].some(({ data }) => number(data, "total_count") > rowsMax);
  const names = rowsOf(exchanges.data).map((row) => shownExchange(text(row, "name")));
  const asked = exchange === "" ? (names.find((name) => !name.startsWith("amq.")) ?? defaultExchange) : exchange;
  return (
    <>
      <PageHead title="Topology" />
      <div class="row">
        <VhostField value={vhost} onChange={(name) => setQuery({ vhost: name })} />
        <TextField
          label="Only what has to do with"
          placeholder="part of a name"
          value={focus}
          onChange={(value) => setQuery({ focus: value === "" ? undefined : value })}
        />
      </div>
      {exchanges.error !== undefined && <Failure error={exchanges.error} />}
      {(topology.omitted > 0 || isCut) && (
        <p class="notice">
          There is more than fits into a picture. Type a part of a name above to see what has to do with it.
        </p>
      )}
      <Section title={`Virtual host ${vhost}`}>
        {topology.nodes.length === 0 ? (
          <Empty>Nothing here, or nothing that fits. Exchanges appear once something is bound to them.</Empty>
        ) : (
          <TopologyGraph vhost={vhost} drawing={drawing} current={topology.nodes} lit={litBy(route)} />
        )}
      </Section>
      <Section title="Where would this message go?">
        <Field label="Exchange">
          {(id) => (
            <select
              id={id}
              value={asked}
              onChange={(event) => {
                setExchange(event.currentTarget.value);
                setRoute(undefined);
              }}
            >
              {names.map((name) => (
                <option key={name} selected={name === asked}>
                  {name}
                </option>
              ))}
            </select>
          )}
        </Field>
        <RouteFinder key={`${vhost} ${asked}`} vhost={vhost} exchange={asked} onFound={setRoute} />
      </Section>
    </>
  );
}

/** The nodes and ways that a message would take. */
function litBy(route: unknown): ReadonlySet<string> {
  const steps = rowsOf(at(route, "steps"));
  const ways = steps.flatMap((step) => {
    const from = `exchange ${text(step, "exchange")}`;
    const to = `${text(step, "destination_type")} ${text(step, "destination")}`;
    return [from, to, `${from}>${to}`];
  });
  return new Set([...ways, ...texts(route, "queues").map((name) => `queue ${name}`)]);
}
