// Runs the steps of docker/Dockerfile in a plain folder, for where there is no Docker: then starts what came of it as the
// image would, and tries it. `node scripts/try-dockerfile.mjs [folder]`; what needs root (packages, users) is left out.
import { execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { cpSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, statSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { basename, join, resolve } from "node:path";
import { setTimeout as later } from "node:timers/promises";

const repository = resolve(import.meta.dirname, "..");
const given = process.argv[2];
const folder = given === undefined ? mkdtempSync(join(tmpdir(), "tsbroker-image-")) : resolve(given);
/** Commands that change the system, of which a plain folder has none. */
const ofSystem = /^(apt-get|rm -rf \/var\/lib\/apt|groupadd|useradd)\b/;
/** Places of the image that commands name. */
const places = /(?<![\w./$])\/(build|opt|usr\/local\/bin|var\/(lib|log)\/rabbitmq|etc\/rabbitmq)\b/g;

function stagesOf(text) {
  const lines = text
    .replaceAll(/^\s*#.*\n/gm, "")
    .replaceAll(/\\\n/g, " ")
    .split("\n");
  const stages = [];
  for (const line of lines.filter((text) => text.trim() !== "")) {
    const [, name, rest] = /^(\w+)\s+(.*)$/.exec(line.trim()) ?? [];
    if (name === "FROM") stages.push({ name: / AS (\S+)$/i.exec(rest)?.[1] ?? "image", steps: [] });
    else stages.at(-1)?.steps.push({ name, rest });
  }
  return stages;
}

function inPlace(text, root) {
  return text.replaceAll(places, (place) => `${root}${place}`);
}

function copy(rest, root, workdir) {
  const from = /--from=(\S+)/.exec(rest)?.[1];
  const paths = rest.replaceAll(/--\w+=\S+\s*/g, "").split(/\s+/);
  const target = paths.pop() ?? ".";
  const to = target.startsWith("/") ? join(root, target) : join(workdir, target);
  const isFolder = target.endsWith("/") || paths.length > 1;
  for (const path of paths) {
    const source = from === undefined ? join(repository, path) : join(folder, from, path);
    const place = isFolder ? join(to, basename(path)) : to;
    mkdirSync(join(place, ".."), { recursive: true });
    cpSync(source, place, { recursive: statSync(source).isDirectory(), verbatimSymlinks: true });
  }
}

function run(rest, root, workdir, env) {
  const commands = rest.split(/\s*&&\s*/);
  for (const command of commands.filter((text) => !ofSystem.test(text))) {
    const line = inPlace(command, root).replaceAll(/ --(owner|group)=\S+/g, "");
    console.log(`  ${line}`);
    execFileSync("/bin/sh", ["-euc", line], { cwd: workdir, env: { ...process.env, ...env }, stdio: ["ignore", 2, 2] });
  }
}

function make({ name, steps }) {
  const root = join(folder, name);
  const image = { root, env: {}, workdir: root, entrypoint: [], command: [], health: [] };
  for (const step of steps) {
    console.log(`${name}: ${step.name} ${step.rest.slice(0, 100)}`);
    const list = () => JSON.parse(step.rest.slice(step.rest.indexOf("[")));
    switch (step.name) {
      case "WORKDIR":
        image.workdir = join(root, step.rest);
        mkdirSync(image.workdir, { recursive: true });
        break;
      case "COPY":
        copy(step.rest, root, image.workdir);
        break;
      case "RUN":
        mkdirSync(join(root, "usr/local/bin"), { recursive: true });
        run(step.rest, root, image.workdir, image.env);
        break;
      case "ENV":
        for (const pair of step.rest.split(/\s+/)) {
          const [key = "", value = ""] = pair.split("=");
          image.env[key] = inPlace(value, root);
        }
        break;
      case "HEALTHCHECK":
        image.health = list();
        break;
      case "ENTRYPOINT":
        image.entrypoint = list();
        break;
      case "CMD":
        image.command = list();
        break;
      case "USER":
      case "VOLUME":
      case "EXPOSE":
        break;
      default:
        throw new Error(`what ${step.name} does is not known here`);
    }
  }
  return image;
}

async function freePort() {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address();
  server.close();
  return port;
}

/** Starts what was made with the variables that people give to RabbitMQ's image, and uses it. */
async function tryOut(image) {
  const [port, management, metrics] = [await freePort(), await freePort(), await freePort()];
  const env = {
    PATH: `${join(image.root, "usr/local/bin")}:${process.env.PATH}`,
    HOME: image.workdir,
    ...image.env,
    RABBITMQ_CONFIGURATION_DIR: join(image.root, "etc/rabbitmq"),
    RABBITMQ_DEFAULT_USER: "app",
    RABBITMQ_DEFAULT_PASS: "secret",
    RABBITMQ_DEFAULT_VHOST: "work",
    RABBITMQ_NODENAME: "rabbit@image",
    RABBITMQ_NODE_PORT: String(port),
    TSBROKER_MANAGEMENT_PORT: String(management),
    TSBROKER_PROMETHEUS_PORT: String(metrics),
  };
  const [file = "", ...args] = [...image.entrypoint, ...image.command];
  const broker = spawn(file, args, { env, cwd: image.workdir, stdio: ["ignore", "inherit", "inherit"] });
  const ended = once(broker, "exit");
  const url = ["--url", `http://127.0.0.1:${management}`];
  const login = { ...env, TSBROKER_USER: "app", TSBROKER_PASSWORD: "secret" };
  const tool = (name, ...words) =>
    execFileSync(name, words, { env: login, encoding: "utf8", stdio: ["ignore", "pipe", 2] });
  try {
    await until(() => tool(image.health[0], ...image.health.slice(1), ...url), broker);
    const ctl = (...words) => tool("brokerctl", ...url, "--user", "app", "--vhost", "work", ...words);
    ctl("declare", "queue", "name=hello", "durable=true");
    ctl("publish", "routing_key=hello", "payload=Hello from the image");
    expect(ctl("get", "queue=hello"), "Hello from the image");
    expect(tool("rabbitmqctl", ...url, "--user", "app", "status"), "rabbit@image");
    expect(await (await fetch(`http://127.0.0.1:${metrics}/metrics`)).text(), "rabbitmq_queues 1");
    if (!existsSync(join(image.root, "var/lib/rabbitmq/tsbroker"))) throw new Error("the data is not in the volume");
  } finally {
    broker.kill("SIGTERM");
  }
  const [code] = await ended;
  if (code !== 0) throw new Error(`the broker ended with ${code}`);
}

async function until(check, broker) {
  for (let attempt = 0; attempt < 100; attempt++) {
    try {
      return check();
    } catch (error) {
      if (broker.exitCode !== null) throw error;
      await later(100);
    }
  }
  throw new Error("the health check does not pass");
}

function expect(text, part) {
  if (!text.includes(part)) throw new Error(`'${part}' is missing in: ${text}`);
}

try {
  const images = stagesOf(readFileSync(join(repository, "docker/Dockerfile"), "utf8")).map(make);
  await tryOut(images.at(-1));
  console.log("the image works");
} finally {
  if (given === undefined) rmSync(folder, { recursive: true, force: true });
}
