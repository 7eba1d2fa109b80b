import { type ChannelModel, connect } from "amqplib";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { forcedClose } from "../support/amqp-client.ts";
import { useBroker } from "../support/broker.ts";
import { Brokerctl } from "../support/brokerctl.ts";
import { eventually } from "../support/wait-for.ts";

const broker = useBroker();
const brokerctl = new Brokerctl(broker, "in process");
let connection: ChannelModel;

beforeAll(async () => {
  connection = await open("lister");
  const channel = await connection.createConfirmChannel();
  await channel.assertQueue("orders", { durable: true, arguments: { "x-max-length": 5 } });
  await channel.assertQueue("evil\tname\u001b[31m", { durable: true });
  await channel.assertExchange("ex", "topic", { durable: true });
  await channel.bindQueue("orders", "ex", "a.#", { x: 1 });
  channel.sendToQueue("orders", Buffer.from("one"));
  await channel.waitForConfirms();
  await channel.consume("orders", () => {}, { consumerTag: "tag" });
});

afterAll(() => connection.close());

function open(name: string): Promise<ChannelModel> {
  const model = connect(broker.url, { clientProperties: { connection_name: name } });
  return model.then((opened) => opened.on("error", () => {}));
}

describe("list_queues", () => {
  it("says what it lists, and then the name and messages of each queue", async () => {
    expect(await brokerctl.out("list_queues")).toBe(
      "Timeout: 60.0 seconds ...\nListing queues for vhost / ...\nname\tmessages\n" +
        "evil\\tname\\x1b[31m\t0\norders\t1\n",
    );
  });

  it("lists the columns that are asked for, with spaces or commas between them", async () => {
    const columns = ["name", "durable", "arguments", "consumers", "state", "policy", "owner_pid"];
    const row = 'orders\ttrue\t[{"x-max-length",5}]\t1\trunning\t\t\n';
    expect(await brokerctl.out("-s", "list_queues", ...columns)).toContain(row);
    expect(await brokerctl.out("-s", "list_queues", columns.join(","))).toContain(row);
    expect(await brokerctl.json("list_queues", "name", "arguments", "policy")).toContainEqual({
      name: "orders",
      arguments: [["x-max-length", "long", 5]],
      policy: "",
    });
  });

  it("knows every column that rabbitmqctl knows", async () => {
    const known =
      "arguments auto_delete consumer_capacity consumer_utilisation consumers disk_reads disk_writes durable exclusive " +
      "exclusive_consumer_pid exclusive_consumer_tag head_message_timestamp leader members memory message_bytes " +
      "message_bytes_persistent message_bytes_ram message_bytes_ready message_bytes_unacknowledged messages " +
      "messages_persistent messages_ram messages_ready messages_ready_ram messages_unacknowledged " +
      "messages_unacknowledged_ram name online owner_pid pid policy slave_pids state synchronised_slave_pids type";
    const columns = known.split(" ");
    const [row] = Object(await brokerctl.json("list_queues", ...columns));
    expect(Object.keys(row)).toEqual(columns);
  });

  it("refuses a column that there is not", async () => {
    expect(await brokerctl.run(["list_queues", "name", "nonsense"])).toMatchObject({
      exitCode: 64,
      stderr: expect.stringContaining(
        "Info key(s) nonsense are not supported\nArguments given:\n\tlist_queues name nonsense",
      ),
    });
  });

  it("takes the options that choose nodes", async () => {
    expect(await brokerctl.out("-s", "list_queues", "--online", "--local", "name")).toContain("orders\n");
    expect(await brokerctl.out("-s", "list_queues", "--offline", "name")).toBe("");
  });
});

describe("the other lists", () => {
  it("tell of exchanges", async () => {
    expect(await brokerctl.out("list_exchanges")).toMatch(/^Listing exchanges for vhost \/ \.\.\.\nname\ttype\n/);
    expect(
      await brokerctl.json("list_exchanges", "name", "type", "durable", "internal", "arguments", "policy"),
    ).toContainEqual({ name: "ex", type: "topic", durable: true, internal: false, arguments: [], policy: "" });
  });

  it("tell of bindings, those to the default exchange too", async () => {
    expect(await brokerctl.out("-q", "list_bindings")).toBe(
      "source_name\tsource_kind\tdestination_name\tdestination_kind\trouting_key\targuments\n" +
        "\texchange\tevil\\tname\\x1b[31m\tqueue\tevil\\tname\\x1b[31m\t[]\n" +
        "\texchange\torders\tqueue\torders\t[]\n" +
        'ex\texchange\torders\tqueue\ta.#\t[{"x",1}]\n',
    );
  });

  it("tell of connections", async () => {
    expect(await brokerctl.out("list_connections")).toMatch(
      /^Listing connections \.\.\.\nuser\tpeer_host\tpeer_port\tstate\nguest\t127\.0\.0\.1\t\d+\trunning\n$/,
    );
    const columns = ["peer_host", "protocol", "client_properties", "channels", "ssl", "peer_cert_subject"];
    const [row] = Object(await brokerctl.json("list_connections", ...columns));
    expect(row).toMatchObject({
      peer_host: [127, 0, 0, 1],
      protocol: [0, 9, 1],
      channels: 1,
      ssl: false,
      peer_cert_subject: "",
    });
    expect(row.client_properties).toContainEqual(["connection_name", "longstr", "lister"]);
  });

  it("tell of channels and consumers", async () => {
    const [channel] = Object(await brokerctl.json("list_channels", "number", "user", "confirm", "consumer_count"));
    expect(channel).toEqual({ number: 1, user: "guest", confirm: true, consumer_count: 1 });
    expect(await brokerctl.out("-q", "list_consumers")).toMatch(
      /^queue_name\tchannel_pid\tconsumer_tag\tack_required\tprefetch_count\tactive\targuments\norders\t.* \(1\)\ttag\ttrue\t0\ttrue\t\[\]\n$/,
    );
  });
});

describe("closing", () => {
  it("closes one connection by the name or pid that the list gives, with the reason", async () => {
    const victim = await open("victim");
    const closed = forcedClose(victim);
    const rows = Object(await brokerctl.json("list_connections", "pid", "user_provided_name"));
    const { pid } = rows.find((row: { user_provided_name: string }) => row.user_provided_name === "victim");
    await brokerctl.out("close_connection", pid, "go away");
    expect(await closed).toContain("go away");
    await eventually(async () =>
      expect(await brokerctl.run(["close_connection", pid, "x"])).toMatchObject({ exitCode: 69 }),
    );
  });

  it("closes all of a virtual host, up to a limit, and all of a user", async () => {
    await brokerctl.out("add_vhost", "closing");
    const models = await Promise.all([1, 2, 3].map(() => connect(`${broker.url}/closing`)));
    const closed = models.map(forcedClose);
    expect(await brokerctl.out("close_all_connections", "-p", "closing", "--limit", "1", "maintenance")).toBe(
      "Closing 1 connections in vhost closing, reason: maintenance...\nClosed 1 connections\n",
    );
    await eventually(async () => {
      const rows = Object(await brokerctl.json("list_connections", "vhost"));
      expect(rows.filter((row: { vhost: string }) => row.vhost === "closing")).toHaveLength(2);
    });
    expect(await brokerctl.out("-q", "close_all_connections", "-p", "closing", "maintenance")).toBe(
      "Closed 2 connections\n",
    );
    expect(await Promise.all(closed)).toEqual(Array(3).fill(expect.stringContaining("maintenance")));
    expect(await brokerctl.out("close_all_user_connections", "nobody-here", "x")).toBe(
      "Closing connections of user nobody-here, reason: x...\n",
    );
  });
});
