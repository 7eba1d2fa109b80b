import type { JSX } from "preact";
import { BindForm, BindingsTable } from "../components/bindings.tsx";
import { DepthChart, LatencyChart, MessageRatesChart } from "../components/charts.tsx";
import { Features } from "../components/features.tsx";
import { MessageBrowser } from "../components/message-browser.tsx";
import { Badge, Facts, Failure, PageHead, Section, Value } from "../components/page.tsx";
import { PublishForm } from "../components/publish-form.tsx";
import { RangeChoice } from "../components/range-choice.tsx";
import { path } from "../lib/api.ts";
import { bytes, count } from "../lib/format.ts";
import { PolicyLink, VhostLink } from "../lib/links.tsx";
import { useLive } from "../lib/live.ts";
import { deleteQueues, purgeQueues } from "../lib/queue-acts.tsx";
import { rangeQuery, useRange } from "../lib/ranges.ts";
import { goTo, href, setQuery, useRoute } from "../lib/router.ts";
import { at, isRow, number, type Row, rowOf, rowsOf, text } from "../lib/row.ts";
import { ConsumersTable } from "./consumers.tsx";

const tabs = ["overview", "messages", "publish"] as const;

/** One queue: how it does, who is at it, and what is in it. */
export function QueuePage({ vhost, name }: { readonly vhost: string; readonly name: string }): JSX.Element {
  const [range] = useRange();
  const { data, error } = useLive(`${path`/queues/${vhost}/${name}`}?${rangeQuery(range, "lengths", "msg_rates")}`);
  const wanted = useRoute().query.get("tab");
  const tab = tabs.find((one) => one === wanted) ?? "overview";
  if (error !== undefined) return <Failure error={error} of={`queue ${name} in ${vhost}`} />;
  const queue = rowOf(data);
  const remove = async (): Promise<void> => {
    if (await deleteQueues([queue])) goTo(href("queues"));
  };
  return (
    <>
      <PageHead
        title={name}
        above={<a href={href("queues")}>Queues</a>}
        tags={
          <>
            <Badge kind="accent">{text(data, "type")}</Badge> <Features row={queue} />
          </>
        }
      >
        {tab === "overview" && <RangeChoice />}
        <button type="button" class="danger" disabled={data === undefined} onClick={() => void purgeQueues([queue])}>
          Purge…
        </button>
        <button type="button" class="danger" disabled={data === undefined} onClick={() => void remove()}>
          Delete…
        </button>
      </PageHead>
      <div class="tabs" role="tablist">
        {tabs.map((one) => (
          <button
            key={one}
            type="button"
            role="tab"
            aria-selected={one === tab}
            onClick={() => setQuery({ tab: one === "overview" ? undefined : one })}
          >
            {one === "overview"
              ? "Overview"
              : one === "messages"
                ? `Messages ${count(number(data, "messages"))}`
                : "Publish"}
          </button>
        ))}
      </div>
      {tab === "overview" && <QueueOverview vhost={vhost} name={name} queue={queue} />}
      {tab === "messages" && <MessageBrowser vhost={vhost} queue={name} />}
      {tab === "publish" && (
        <Section title="Publish to this queue">
          <PublishForm vhost={vhost} exchange="" routingKey={name} />
        </Section>
      )}
    </>
  );
}

function QueueOverview({ vhost, name, queue }: { vhost: string; name: string; queue: Row }): JSX.Element {
  const bindings = rowsOf(useLive(path`/queues/${vhost}/${name}/bindings`).data);
  const consumers = rowsOf(at(queue, "consumer_details"));
  const policy = text(queue, "policy");
  const effective = at(queue, "effective_policy_definition");
  return (
    <>
      <div class="charts">
        <DepthChart of={queue} />
        <MessageRatesChart of={queue} />
        <LatencyChart of={queue} />
      </div>
      <Section title="Details">
        <Facts
          of={[
            ["Virtual host", <VhostLink key="vhost" name={vhost} />],
            ["State", text(queue, "state")],
            ["Ready", count(number(queue, "messages_ready"))],
            ["Unacked", count(number(queue, "messages_unacknowledged"))],
            ["Bytes, ready", bytes(number(queue, "message_bytes_ready"))],
            ["Bytes, unacked", bytes(number(queue, "message_bytes_unacknowledged"))],
            [
              "Average body",
              number(queue, "messages") > 0
                ? bytes(number(queue, "message_bytes") / number(queue, "messages"))
                : undefined,
            ],
            ["Policy", policy === "" ? undefined : <PolicyLink key="policy" vhost={vhost} name={policy} />],
            ["Operator policy", text(queue, "operator_policy")],
            [
              "Policies make of it",
              isRow(effective) && Object.keys(effective).length > 0 ? (
                <Value key="effective" of={effective} />
              ) : undefined,
            ],
            ["Arguments", <Value key="arguments" of={at(queue, "arguments") ?? {}} />],
          ]}
        />
      </Section>
      <Section title="Consumers" count={consumers.length}>
        <ConsumersTable rows={consumers} />
      </Section>
      <Section title="Bindings" count={bindings.length}>
        <BindingsTable rows={bindings} end="source" />
        <details class="fold">
          <summary>Bind this queue to an exchange</summary>
          <BindForm vhost={vhost} destination={{ kind: "q", name }} />
        </details>
      </Section>
    </>
  );
}
