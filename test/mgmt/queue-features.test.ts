import { expect, it } from "vitest";
import { unique, useAmqpClient } from "../support/amqp-client.ts";
import { useBroker } from "../support/broker.ts";
import { Brokerctl } from "../support/brokerctl.ts";
import { asGuest } from "../support/management.ts";

const broker = useBroker();
const amqp = useAmqpClient(broker);
const admin = asGuest(broker);
const brokerctl = new Brokerctl(broker, "in process");

/** A feature of queues: its policy key has the argument's name without `x-`. */
interface Feature {
  readonly argument: string;
  readonly value: string | number | boolean;
  readonly type: "classic" | "quorum";
  /** There is a policy for it. */
  readonly ruled: boolean;
  /** The arguments that this one needs. */
  readonly needs?: Readonly<Record<string, string>>;
}

const features: readonly Feature[] = [
  { argument: "x-message-ttl", value: 60_000, type: "classic", ruled: true },
  { argument: "x-expires", value: 60_000, type: "classic", ruled: true },
  { argument: "x-max-length", value: 10, type: "classic", ruled: true },
  { argument: "x-max-length-bytes", value: 10, type: "classic", ruled: true },
  { argument: "x-overflow", value: "reject-publish-dlx", type: "classic", ruled: true },
  { argument: "x-dead-letter-exchange", value: "graves", type: "classic", ruled: true },
  {
    argument: "x-dead-letter-routing-key",
    value: "buried",
    type: "classic",
    ruled: true,
    needs: { "x-dead-letter-exchange": "graves" },
  },
  { argument: "x-delivery-limit", value: 3, type: "classic", ruled: true },
  { argument: "x-consumer-timeout", value: 60_000, type: "classic", ruled: true },
  { argument: "x-max-priority", value: 5, type: "classic", ruled: false },
  { argument: "x-single-active-consumer", value: true, type: "classic", ruled: false },
  { argument: "x-queue-mode", value: "lazy", type: "classic", ruled: false },
  { argument: "x-queue-version", value: 2, type: "classic", ruled: false },
  { argument: "x-queue-master-locator", value: "min-masters", type: "classic", ruled: false },
  { argument: "x-queue-leader-locator", value: "balanced", type: "classic", ruled: false },
  { argument: "x-anything", value: "else", type: "classic", ruled: false },
  { argument: "x-overflow", value: "reject-publish", type: "quorum", ruled: true },
  { argument: "x-delivery-limit", value: -1, type: "quorum", ruled: true },
  { argument: "x-dead-letter-strategy", value: "at-least-once", type: "quorum", ruled: true },
  { argument: "x-delayed-retry-type", value: "all", type: "quorum", ruled: true },
  { argument: "x-delayed-retry-min", value: 10, type: "quorum", ruled: true },
  { argument: "x-delayed-retry-max", value: 100, type: "quorum", ruled: true },
  { argument: "x-max-in-memory-length", value: 10, type: "quorum", ruled: true },
  { argument: "x-max-in-memory-bytes", value: 10, type: "quorum", ruled: true },
  { argument: "x-quorum-initial-group-size", value: 1, type: "quorum", ruled: false },
];

/** The row of a queue in the API and in brokerctl, as far as it is about what was asked of the queue. */
async function rowsOf(queue: string) {
  const columns = "columns=arguments,policy,operator_policy,effective_policy_definition";
  const listed = await brokerctl.json("list_queues", "name", "arguments", "policy");
  if (!Array.isArray(listed)) throw new Error("list_queues printed no list");
  return [
    await admin.read(`/queues/%2F/${queue}?${columns}`),
    listed.find((row: { name: string }) => row.name === queue),
  ];
}

it.each(features)(
  "$argument of a $type queue is shown as it was declared",
  async ({ argument, value, type, needs }) => {
    const channel = await amqp.channel();
    const args = { "x-queue-type": type, ...needs, [argument]: value };
    const queue = await amqp.queue(channel, { arguments: args });
    const [row, listed] = await rowsOf(queue);
    expect(row).toEqual({
      arguments: args,
      policy: null,
      operator_policy: null,
      effective_policy_definition: {},
    });
    expect(listed).toEqual({
      name: queue,
      arguments: expect.arrayContaining([[argument, expect.any(String), value]]),
      policy: "",
    });
  },
);

const ruled = features.filter((feature) => feature.ruled);

it.each(ruled)("$argument of a $type queue is shown as a policy sets it", async ({ argument, value, type }) => {
  const channel = await amqp.channel();
  const queue = await amqp.queue(channel, { arguments: { "x-queue-type": type } });
  const policy = unique("policy");
  const definition = { [argument.slice("x-".length)]: value };
  await admin.must("PUT", `/policies/%2F/${policy}`, { pattern: `^${queue}$`, definition, "apply-to": "queues" });
  const [row, listed] = await rowsOf(queue);
  expect(row).toEqual({
    arguments: { "x-queue-type": type },
    policy,
    operator_policy: null,
    effective_policy_definition: definition,
  });
  expect(listed).toEqual({ name: queue, arguments: [["x-queue-type", "longstr", type]], policy });
  await admin.must("DELETE", `/policies/%2F/${policy}`);
});

it.each(["message-ttl", "expires", "max-length", "max-length-bytes", "delivery-limit", "consumer-timeout"])(
  "%s is shown as the smaller of what a policy and an operator's policy set",
  async (key) => {
    const channel = await amqp.channel();
    const queue = await amqp.queue(channel);
    const policy = unique("policy");
    const put = (kind: string, value: number) =>
      admin.must("PUT", `/${kind}/%2F/${policy}`, { pattern: `^${queue}$`, definition: { [key]: value } });
    await put("policies", 70_000);
    await put("operator-policies", 60_000);
    const [row] = await rowsOf(queue);
    expect(row).toMatchObject({
      policy,
      operator_policy: policy,
      effective_policy_definition: { [key]: 60_000 },
    });
    for (const kind of ["policies", "operator-policies"]) await admin.must("DELETE", `/${kind}/%2F/${policy}`);
  },
);
