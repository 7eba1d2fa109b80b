import { existsSync } from "node:fs";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { connect } from "amqplib";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { unique } from "../support/amqp-client.ts";
import { needsOwnBroker, useBroker } from "../support/broker.ts";
import { Companion, checksOf, describeWith, pythonWith, run } from "../support/programs.ts";
import { eventually } from "../support/wait-for.ts";

const program = "celery_checks.py";
const queues = ["default", "email", "image", "task", "web", "urgent", "late", "beat"];
const slow = 60_000;

describeWith(pythonWith("celery"), "Celery", (python) => {
  const broker = useBroker();
  const prefix = unique("celery");
  const checks = checksOf(python, program);
  let folder: string;
  const companions: Companion[] = [];

  const files = () => ({ log: join(folder, "log"), gate: join(folder, "gate"), schedule: join(folder, "schedule") });

  const env = () => ({
    TASK_BROKER: broker.url,
    TASK_PREFIX: prefix,
    TASK_LOG: files().log,
    TASK_GATE: files().gate,
  });

  /** What the tasks noted so far. */
  async function notes(word: string): Promise<string[]> {
    const text = existsSync(files().log) ? await readFile(files().log, "utf8") : "";
    return text.split("\n").filter((line) => line.split(" ")[0] === word);
  }

  function celery(...args: string[]): Companion {
    const companion = new Companion(python, ["-m", "celery", "-A", "celery_app", ...args], { env: env() });
    companions.push(companion);
    return companion;
  }

  /** A worker that has begun to consume. */
  async function worker(name: string, ...args: string[]): Promise<Companion> {
    const started = celery("worker", "--hostname", `${name}@%h`, "--loglevel", "info", ...args);
    await eventually(() => expect(started.output).toMatch(/ ready\.\n/), slow);
    return started;
  }

  const queueNames = (...names: string[]) => ["--queues", names.map((name) => `${prefix}.${name}`).join(",")];
  const alone = ["--without-mingle", "--without-gossip"];

  /** Runs Python in the folder of the programs, with the tasks at hand. */
  const withTasks = (code: string) => run(python, ["-c", `from celery_app import *\n${code}`], { env: env() });

  async function readyMessages(): Promise<Record<string, number>> {
    const connection = await connect(broker.url);
    const channel = await connection.createChannel();
    const counts: Record<string, number> = {};
    for (const name of queues) counts[name] = (await channel.checkQueue(`${prefix}.${name}`)).messageCount;
    await connection.close();
    return counts;
  }

  const nothing = Object.fromEntries(queues.map((name) => [name, 0]));

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), "tsbroker-celery-"));
  });

  afterEach(async () => {
    for (const companion of companions.splice(0)) await companion.stop();
  });

  afterAll(async () => {
    const connection = await connect(broker.url);
    const channel = await connection.createChannel();
    for (const name of queues) await channel.deleteQueue(`${prefix}.${name}`);
    for (const name of ["direct", "tasks", "event", "control.pidbox"])
      await channel.deleteExchange(`${prefix}.${name}`);
    await channel.deleteExchange(`reply.${prefix}.control.pidbox`);
    await connection.close();
    await rm(folder, { recursive: true, force: true });
  });

  describe("with a worker of two processes", () => {
    let main: Companion;

    beforeAll(async () => {
      main = await worker("main", "--concurrency", "2", ...queueNames(...queues));
      companions.splice(companions.indexOf(main), 1);
    }, slow);

    afterAll(() => main.stop());

    it.for(checks)("%s", { timeout: slow }, async ([, { check }]) => {
      main.check();
      await run(python, [program, check, broker.url], { env: env() });
    });

    it("leaves no message behind, and ran every task once", async () => {
      await eventually(async () => expect(await readyMessages()).toEqual(nothing));
      expect((await notes("add")).filter((line) => line.endsWith(" 1000"))).toHaveLength(100);
      expect(await notes("flaky")).toEqual(["flaky three times 0", "flaky three times 1", "flaky three times 2"]);
      expect(await notes("at")).toHaveLength(31);
      expect((await notes("send_email")).length + (await notes("resize_image")).length).toBe(2);
    });
  });

  it("shows its queues over HTTP as monitors of Celery read them", { timeout: slow }, async () => {
    // Flower asks nothing else of the API than the queues of its vhost, with a second to connect and two to answer; it picks
    // its own by name, and shows these fields of theirs.
    const { hostname, port } = new URL(broker.managementUrl);
    // The first request of all, for which the API is loaded, may take longer on a busy machine.
    await fetch(broker.managementUrl);
    const lengths = `
import base64, json
from http.client import HTTPConnection
def lengths():
    broker = HTTPConnection("${hostname}", ${port}, timeout=2)
    key = base64.b64encode(b"guest:guest").decode()
    broker.request("GET", "/api/queues/%2F", headers={"Authorization": "Basic " + key})
    rows = json.loads(broker.getresponse().read())
    own = [row for row in rows if row["name"] in [PREFIX + ".web"]]
    shown = ["name", "messages", "messages_unacknowledged", "messages_ready", "consumers"]
    return [[row.get(name, "N/A") for name in shown] for row in own]
`;
    const read = async () => JSON.parse(await withTasks(`${lengths}print(json.dumps(lengths()))`));
    await withTasks(
      "with app.connection_for_write() as c: QUEUES['web'].bind(c.channel()).declare()\n" +
        "[render.delay('page') for _ in range(5)]",
    );
    expect(await read()).toEqual([[`${prefix}.web`, 5, 0, 5, 0]]);
    await worker("seen", "--pool", "solo", ...alone, ...queueNames("web"));
    await eventually(async () => expect(await read()).toEqual([[`${prefix}.web`, 0, 0, 0, 1]]), slow);
    expect(await withTasks("print(sorted(app.control.inspect(timeout=20, limit=1).active_queues()))")).toContain(
      "seen@",
    );
  });

  it("gives the task of a worker that was killed to another one, which finishes it", { timeout: slow }, async () => {
    const doomed = await worker("doomed", "--pool", "solo", ...alone, ...queueNames("late"));
    await withTasks("long_task.delay('heavy')");
    await eventually(async () => expect(await notes("began")).toHaveLength(1), slow);
    await doomed.kill9();
    const heir = await worker("heir", "--pool", "solo", ...alone, ...queueNames("late"));
    await eventually(async () => expect(await notes("began")).toHaveLength(2), slow);
    expect(await notes("ended")).toEqual([]);
    await writeFile(files().gate, "");
    await eventually(async () => expect(await notes("ended")).toEqual(["ended heavy"]));
    // A worker without helpers answers only when the task is behind it, acknowledgement and all.
    await withTasks("assert app.control.inspect(timeout=20, limit=1).ping()");
    await heir.stop();
    expect(await notes("began")).toHaveLength(2);
    expect(await readyMessages()).toEqual(nothing);
  });

  it("runs urgent tasks first", { timeout: slow }, async () => {
    await withTasks("[ordered.apply_async((f'{p}-{n}',), priority=p) for n in range(3) for p in (0, 5, 9)]");
    const args = ["--pool", "solo", "--prefetch-multiplier", "1", ...alone, ...queueNames("urgent")];
    await worker("urgent", ...args);
    await eventually(async () => expect(await notes("ordered")).toHaveLength(9), slow);
    const expected = [9, 5, 0].flatMap((priority) => [0, 1, 2].map((index) => `ordered ${priority}-${index}`));
    expect(await notes("ordered")).toEqual(expected);
  });

  it("works with threads", { timeout: slow }, async () => {
    await worker("threads", "--pool", "threads", "--concurrency", "4", ...alone, ...queueNames("default"));
    const results = await withTasks("print([add.delay(n, 1).get(timeout=30) for n in range(20)])");
    expect(JSON.parse(results)).toEqual(Array.from({ length: 20 }, (_, index) => index + 1));
  });

  it("beats every second", { timeout: slow }, async () => {
    await worker("beaten", "--pool", "solo", ...alone, ...queueNames("beat"));
    const beat = celery("beat", "--loglevel", "info", "--schedule", files().schedule);
    await eventually(async () => {
      beat.check();
      expect((await notes("tick")).length).toBeGreaterThanOrEqual(3);
    }, slow);
    await beat.stop();
    await eventually(async () => expect((await readyMessages())["beat"]).toBe(0));
  });

  it("goes on after the broker crashed and came back", { timeout: slow }, async (context) => {
    needsOwnBroker(context);
    const steady = await worker("steady", "--pool", "solo", ...alone, ...queueNames("email"));
    await withTasks("print(send_email.delay('before').get(timeout=30))");
    await broker.kill9();
    await broker.restart();
    await withTasks("print(send_email.delay('after').get(timeout=30))");
    steady.check();
    expect((await notes("send_email")).slice(-2)).toEqual(["send_email before", "send_email after"]);
  });
});
