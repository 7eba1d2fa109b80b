import { document, plain } from "../cells.ts";
import { command } from "../command.ts";
import { CommandError, exitCode, noSuchVhost } from "../command-error.ts";
import { jsonArgument } from "../json-argument.ts";
import { type ApiError, on, path } from "../management-client.ts";

const setParameter = command({
  name: "set_parameter",
  group: "Policies and parameters",
  summary: "sets a runtime parameter of a virtual host",
  arguments: { "<component>": "what it belongs to", "<name>": "its name", "<value>": "its value, in JSON" },
  run: async ({ api, vhost, output }, { component, name, value }) => {
    const what = `runtime parameter "${name}" for component "${component}" to "${value}"`;
    output.banner(`Setting ${what} in vhost "${vhost}" ...`);
    await api
      .put(path`/parameters/${component}/${vhost}/${name}`, { value: jsonArgument(value) })
      .catch(on(404, () => noSuchVhost(vhost)));
  },
});

const clearParameter = command({
  name: "clear_parameter",
  group: "Policies and parameters",
  summary: "takes a runtime parameter of a virtual host away",
  arguments: { "<component>": "what it belongs to", "<name>": "its name" },
  run: async ({ api, vhost, output }, { component, name }) => {
    output.banner(`Clearing runtime parameter "${name}" for component "${component}" on vhost "${vhost}" ...`);
    await api.delete(path`/parameters/${component}/${vhost}/${name}`).catch(on(404, noParameter));
  },
});

const listParameters = command({
  name: "list_parameters",
  group: "Policies and parameters",
  summary: "lists the runtime parameters of a virtual host",
  run: async ({ api, vhost, output }) => {
    output.banner(`Listing runtime parameters for vhost "${vhost}" ...`);
    await api.get(`${path`/vhosts/${vhost}`}?disable_stats=true`).catch(on(404, () => noSuchVhost(vhost)));
    const rows = (await api.list("/parameters")).filter((row) => row["vhost"] === vhost);
    output.table({
      columns: ["component", "name", "value"],
      rows: rows.map(({ component, name, value }) => [plain(component), plain(name), document(value)]),
    });
  },
});

const setGlobalParameter = command({
  name: "set_global_parameter",
  group: "Policies and parameters",
  summary: "sets a global runtime parameter",
  arguments: { "<name>": "its name", "<value>": "its value, in JSON" },
  run: async ({ api, output }, { name, value }) => {
    output.banner(`Setting global runtime parameter "${name}" to "${value}" ...`);
    await api.put(path`/global-parameters/${name}`, { name, value: jsonArgument(value) });
  },
});

const clearGlobalParameter = command({
  name: "clear_global_parameter",
  group: "Policies and parameters",
  summary: "takes a global runtime parameter away",
  arguments: { "<name>": "its name" },
  run: async ({ api, output }, { name }) => {
    output.banner(`Clearing global runtime parameter "${name}" ...`);
    await api.delete(path`/global-parameters/${name}`).catch(on(404, noParameter));
  },
});

const setClusterName = command({
  name: "set_cluster_name",
  group: "Node",
  summary: "sets the name that management shows",
  arguments: { "<name>": "the name" },
  run: async ({ api, output }, { name }) => {
    output.banner(`Setting cluster name to ${name} ...`);
    await api.put("/cluster-name", { name });
  },
});

function noParameter(cause: ApiError): CommandError {
  return new CommandError(exitCode.unavailable, "Parameter does not exist", { cause });
}

/** The commands about runtime parameters. */
export const parameterCommands = [
  setParameter,
  clearParameter,
  listParameters,
  setGlobalParameter,
  clearGlobalParameter,
  setClusterName,
];
