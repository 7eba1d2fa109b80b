import type { JSX } from "preact";
import { BindForm, BindingsTable } from "../components/bindings.tsx";
import { Chart } from "../components/chart.tsx";
import { confirmed } from "../components/dialog.tsx";
import { Features } from "../components/features.tsx";
import { Badge, Empty, Facts, Failure, PageHead, Section, Value } from "../components/page.tsx";
import { PublishForm } from "../components/publish-form.tsx";
import { RouteFinder } from "../components/route-finder.tsx";
import { act } from "../components/toasts.tsx";
import { path, request } from "../lib/api.ts";
import { count, plural, rate } from "../lib/format.ts";
import { defaultExchange, VhostLink } from "../lib/links.tsx";
import { useLive } from "../lib/live.ts";
import { minute, rangeQuery, ratesOf } from "../lib/ranges.ts";
import { goTo, href } from "../lib/router.ts";
import { at, flag, number, rowOf, rowsOf, text } from "../lib/row.ts";

/** One exchange: what it does, what is bound, where a message would go. */
export function ExchangePage({ vhost, name }: { readonly vhost: string; readonly name: string }): JSX.Element {
  const { data, error } = useLive(`${path`/exchanges/${vhost}/${name}`}?${rangeQuery(minute, "msg_rates")}`);
  const from = rowsOf(
    useLive(error === undefined ? path`/exchanges/${vhost}/${name}/bindings/source` : undefined).data,
  );
  const to = rowsOf(
    useLive(error === undefined ? path`/exchanges/${vhost}/${name}/bindings/destination` : undefined).data,
  );
  if (error !== undefined) return <Failure error={error} of={`exchange ${name} in ${vhost}`} />;
  const isDefault = name === defaultExchange;
  const mayGo = !isDefault && !name.startsWith("amq.");
  const remove = async (): Promise<void> => {
    const body = (
      <p>
        {plural(from.length, "binding")} from it and {plural(to.length, "binding")} to it go with it. Publishers to it
        get an error that closes their channel. Messages in queues stay.
      </p>
    );
    if (!(await confirmed({ title: `Delete exchange ${name}?`, body, action: "Delete exchange" }))) return;
    if (await act(`Deleted exchange ${name}.`, () => request("DELETE", path`/exchanges/${vhost}/${name}`)))
      goTo(href("exchanges"));
  };
  return (
    <>
      <PageHead
        title={isDefault ? "(default)" : name}
        above={<a href={href("exchanges")}>Exchanges</a>}
        tags={
          <>
            <Badge kind="accent">{text(data, "type")}</Badge> <Features row={rowOf(data)} />
          </>
        }
      >
        {mayGo && (
          <button type="button" class="danger" onClick={() => void remove()}>
            Delete…
          </button>
        )}
      </PageHead>
      <div class="charts">
        <RatesChart of={data} />
      </div>
      <Section title="Where would this message go?">
        <RouteFinder vhost={vhost} exchange={name} />
      </Section>
      <Section title="Details">
        <Facts
          of={[
            ["Virtual host", <VhostLink key="vhost" name={vhost} />],
            ["Durable", flag(data, "durable") ? "yes" : "no"],
            ["Declared by", text(data, "user_who_performed_action")],
            ["Messages in", count(number(data, "message_stats.publish_in"))],
            ["Messages out", count(number(data, "message_stats.publish_out"))],
            ["Delayed messages", text(data, "messages_delayed")],
            ["Arguments", <Value key="arguments" of={at(data, "arguments") ?? {}} />],
          ]}
        />
      </Section>
      <Section title="Bindings from here" count={from.length}>
        {isDefault ? (
          <Empty>Every queue is bound to the default exchange by its name; that cannot be changed.</Empty>
        ) : (
          <>
            <BindingsTable rows={from} end="destination" />
            <details class="fold">
              <summary>Bind something to this exchange</summary>
              <BindForm vhost={vhost} source={name} />
            </details>
          </>
        )}
      </Section>
      {to.length > 0 && (
        <Section title="Bindings to here" count={to.length}>
          <BindingsTable rows={to} end="source" />
        </Section>
      )}
      <Section title="Publish a message">
        <PublishForm vhost={vhost} exchange={name} />
      </Section>
    </>
  );
}

function RatesChart({ of }: { of: unknown }): JSX.Element {
  const stats = at(of, "message_stats");
  const [into, out] = [ratesOf(stats, "publish_in"), ratesOf(stats, "publish_out")];
  if (into.times.length < 2) {
    return (
      <figure class="chart">
        <figcaption>Message rates</figcaption>
        <Empty>No message came by lately.</Empty>
      </figure>
    );
  }
  const series = [
    { label: "In", colour: 1, values: into.values, now: number(stats, "publish_in_details.rate") },
    { label: "Out", colour: 3, values: out.values, now: number(stats, "publish_out_details.rate") },
  ];
  return <Chart title="Message rates" times={into.times} series={series} format={rate} />;
}
