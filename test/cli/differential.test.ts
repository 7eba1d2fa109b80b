import { afterAll, describe, expect, it } from "vitest";
import { unique } from "../support/amqp-client.ts";
import { useBroker } from "../support/broker.ts";
import { Brokerctl } from "../support/brokerctl.ts";
import { type Outcome, runToEnd } from "../support/programs.ts";

const broker = useBroker();
const brokerctl = new Brokerctl(broker, "built");
const url = process.env["RABBITMQ_PEER_URL"];
const [peerCommand = "", ...peerArgs] = (process.env["RABBITMQ_PEER_CTL"] ?? "").split(" ");
const reason = "RABBITMQ_PEER_CTL names no rabbitmqctl to compare with";
const vhost = unique("vhost");
const user = unique("user");

function rabbitmqctl(args: readonly string[]): Promise<Outcome> {
  return runToEnd(peerCommand, [...peerArgs, ...args]);
}

/** What does not depend on which broker it is; RabbitMQ lists in no order. */
function common({ exitCode, stdout, stderr }: Outcome) {
  const lines = stdout.replaceAll("rabbitmqctl", "brokerctl").split("\n").sort();
  return { exitCode, lines, complains: stderr !== "" };
}

/** Command lines of scripts, one after the other: all of these print the same and end the same. */
const same: readonly (readonly string[])[] = [
  ["add_vhost", vhost, "--description", "compared"],
  ["add_user", user, "secret"],
  ["add_user", user, "secret"],
  ["-q", "add_user", "", "x"],
  ["set_user_tags", user, "monitoring", "policymaker"],
  ["authenticate_user", user, "secret"],
  ["authenticate_user", user, "wrong"],
  ["set_permissions", "-p", vhost, user, ".*", "", "^q"],
  ["list_user_permissions", user],
  ["list_user_permissions", user, "--formatter", "json"],
  ["list_user_permissions", user, "--formatter", "csv"],
  ["set_policy", "-p", vhost, "--apply-to", "queues", "pol", "^q", '{"max-length":100}'],
  ["list_policies", "-p", vhost],
  ["list_policies", "-p", vhost, "-s"],
  ["list_policies", "-p", vhost, "--formatter", "json"],
  ["set_policy", "-p", vhost, "p", "*", '{"max-length":1}'],
  ["clear_policy", "-p", vhost, "none"],
  ["list_queues", "-p", vhost],
  ["list_queues", "-p", vhost, "--formatter", "json"],
  ["list_queues", "--nonsense"],
  ["list_queues", "-p", vhost, "nonsense"],
  ["list_queues", "-p", vhost, "--timeout", "abc"],
  ["purge_queue", "-p", vhost, "none"],
  ["delete_queue", "-p", vhost, "none"],
  ["list_exchanges", "-p", vhost, "name", "type", "--formatter", "csv"],
  ["list_bindings", "-p", vhost],
  ["set_vhost_limits", "-p", vhost, '{"max-queues": 9}'],
  ["list_vhost_limits", "-p", vhost],
  ["clear_vhost_limits", "-p", vhost],
  ["list_vhost_limits", "-p", vhost],
  ["list_vhost_limits", "-p", vhost, "--formatter", "json"],
  ["list_user_limits", "--user", user, "--formatter", "json"],
  ["list_permissions", "-p", "none"],
  ["delete_user", "nobody"],
  ["delete_vhost", "none"],
  ["list_quues"],
  ["add_user"],
  ["await_startup"],
  ["ping", "-q"],
  ["list_users", "--formatter", "nonsense"],
  ["rotate_logs"],
];

if (url === undefined || peerCommand === "") {
  it(`the same command lines with rabbitmqctl (${reason})`, ({ skip }) => skip(reason));
} else {
  describe("rabbitmqctl and brokerctl", () => {
    afterAll(async () => {
      await rabbitmqctl(["delete_vhost", vhost]);
      await rabbitmqctl(["delete_user", user]);
    });

    it.each(same.map((args, index) => [index, args] as const))("print and end the same: %i %j", async (_, args) => {
      const [ours, theirs] = await Promise.all([brokerctl.run(args), rabbitmqctl(args)]);
      expect(common(ours)).toEqual(common(theirs));
    });
  });
}
