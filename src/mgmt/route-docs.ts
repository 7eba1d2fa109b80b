/** What is said of a route besides its path; `body` and `answer` name schemas. */
export interface RouteDoc {
  readonly summary: string;
  readonly body?: string;
  /** Without one there is no body. */
  readonly answer?: string;
  /** Parameters of the query besides those of lists. */
  readonly query?: readonly string[];
  /** The answer is a list of these. */
  readonly list?: boolean;
}

function list(summary: string, answer: string): RouteDoc {
  return { summary, answer, list: true };
}

function one(summary: string, answer: string): RouteDoc {
  return { summary, answer };
}

function set(summary: string, body: string): RouteDoc {
  return { summary, body };
}

function act(summary: string): RouteDoc {
  return { summary };
}

const health = (summary: string): RouteDoc => one(summary, "Health");

/** By method and path. */
export const routeDocs: Readonly<Record<string, RouteDoc>> = {
  "GET /overview": one("What runs and how much there is", "Overview"),
  "GET /cluster-name": one("The cluster's name", "Name"),
  "PUT /cluster-name": set("Name the cluster", "Name"),
  "GET /version": one("The version", "Text"),
  "GET /openapi.json": one("This document", "Fields"),
  "GET /extensions": list("Extensions of the web interface", "Fields"),
  "GET /feature-flags": list("Feature flags", "FeatureFlag"),
  "GET /config/effective": one("The settings, as environment variables that make the same", "ConfigText"),
  "GET /deprecated-features": list("Deprecated features", "Fields"),
  "GET /deprecated-features/used": list("Deprecated features in use", "Fields"),
  "GET /whoami": one("Who asks", "Whoami"),
  "GET /auth": one("How one may log in besides by password", "Fields"),
  "GET /auth/hash_password/:password": one("The hash of a password", "Fields"),

  "GET /nodes": list("Nodes", "Node"),
  "GET /nodes/:node": one("One node", "Node"),
  "GET /nodes/:node/memory/relative": one("The same in percent", "Fields"),
  "GET /nodes/:node/memory": one("What a node uses its memory for", "Fields"),
  "GET /nodes/:node/memory/ets": one("Tables of Erlang's, of which there are none", "Fields"),
  "GET /nodes/:node/memory/ets/relative": one("The same in percent", "Fields"),
  "GET /nodes/:node/memory/ets/:filter": one("Those of this name, of which there are none either", "Fields"),
  "GET /nodes/:node/memory/ets/:filter/relative": one("The same in percent", "Fields"),

  "PUT /nodes/:node/vm_memory_high_watermark": set("Limit the memory, until the next start", "ResourceLimit"),
  "PUT /nodes/:node/disk_free_limit": set("Limit the free space on disk, until the next start", "ResourceLimit"),
  "PUT /nodes/:node/drain": set("Let no clients in, and those that are there go", "DrainBody"),
  "DELETE /nodes/:node/drain": act("Let clients in again"),
  "GET /nodes/:node/log-levels": one("The levels of the log, as a whole and by area", "LogLevels"),
  "PUT /nodes/:node/log-levels": set("Set the level of the log or of an area, until the next start", "LogLevelBody"),
  "PUT /nodes/:node/reload": act("Read the configuration and the certificates again"),

  "GET /vhosts": list("Virtual hosts", "Vhost"),
  "GET /vhosts/:vhost": one("One virtual host", "Vhost"),
  "PUT /vhosts/:vhost": set("Add a virtual host, or change what is said of it", "VhostBody"),
  "DELETE /vhosts/:vhost": act("Delete a virtual host with everything in it"),
  "POST /vhosts/:vhost/deletion/protection": act("Protect a virtual host from being deleted"),
  "DELETE /vhosts/:vhost/deletion/protection": act("Let a virtual host be deleted again"),
  "GET /vhosts/:vhost/permissions": list("Permissions on a virtual host", "Permission"),
  "GET /vhosts/:vhost/topic-permissions": list("Topic permissions on a virtual host", "TopicPermission"),
  "GET /vhosts/:vhost/connections": list("Connections to a virtual host", "Connection"),
  "GET /vhosts/:vhost/channels": list("Channels in a virtual host", "Channel"),

  "GET /users": list("Users", "User"),
  "GET /users/without-permissions": list("Users who may do nothing anywhere", "User"),
  "POST /users/bulk-delete": set("Delete several users", "Users"),
  "GET /users/:user": one("One user", "User"),
  "PUT /users/:user": set("Add a user, or replace one", "UserBody"),
  "DELETE /users/:user": act("Delete a user and close their connections"),
  "GET /users/:user/permissions": list("Permissions of a user", "Permission"),
  "GET /users/:user/topic-permissions": list("Topic permissions of a user", "TopicPermission"),

  "GET /permissions": list("Permissions", "Permission"),
  "GET /permissions/:vhost/:user": one("What a user may do in a virtual host", "Permission"),
  "PUT /permissions/:vhost/:user": set("Say what a user may do in a virtual host", "PermissionBody"),
  "DELETE /permissions/:vhost/:user": act("Close a virtual host to a user"),
  "GET /topic-permissions": list("Topic permissions", "TopicPermission"),
  "GET /topic-permissions/:vhost/:user": list("Topic permissions of a user in a virtual host", "TopicPermission"),
  "PUT /topic-permissions/:vhost/:user": set("Restrict a user's routing keys on an exchange", "TopicPermissionBody"),
  "DELETE /topic-permissions/:vhost/:user": act("Lift a user's restrictions in a virtual host"),
  "GET /topic-permissions/:vhost/:user/:exchange": list("A user's restriction on an exchange", "TopicPermission"),
  "DELETE /topic-permissions/:vhost/:user/:exchange": act("Lift a user's restriction on an exchange"),

  "GET /exchanges": list("Exchanges", "Exchange"),
  "GET /exchanges/:vhost": list("Exchanges of a virtual host", "Exchange"),
  "GET /exchanges/:vhost/:exchange": one("One exchange; amq.default is the nameless one", "Exchange"),
  "PUT /exchanges/:vhost/:exchange": set("Declare an exchange", "ExchangeBody"),
  "DELETE /exchanges/:vhost/:exchange": act("Delete an exchange; if-unused=true only when nothing is bound to it"),
  "POST /exchanges/:vhost/:exchange/publish": { summary: "Publish a message", body: "Publish", answer: "Published" },
  "GET /exchanges/:vhost/:exchange/route": {
    summary: "Where a message would go with this routing key and these headers, a JSON object; none is published",
    answer: "Route",
    query: ["routing_key", "headers"],
  },
  "GET /exchanges/:vhost/:exchange/bindings/source": list("Bindings of an exchange", "Binding"),
  "GET /exchanges/:vhost/:exchange/bindings/destination": list("Bindings to an exchange", "Binding"),

  "POST /queues/:vhost/:queue/actions": set("Synchronise mirrors, of which there are none", "ActionBody"),
  "POST /rebalance/queues": act("Spread queues over nodes, of which there is one"),
  "POST /vhosts/:vhost/start/:node": act("Start a virtual host on a node, where it runs already"),
  "PUT /feature-flags/:name/enable": act("Nothing is left to do: all are on"),
  "DELETE /reset": act("Forget the samples that rates are made of"),
  "DELETE /reset/:node": act("Forget the samples that rates are made of"),
  "GET /auth/attempts/:node": list("Logins by protocol", "Attempts"),
  "GET /auth/attempts/:node/source": list("Logins by address and user, which are not counted", "Attempts"),
  "DELETE /auth/attempts/:node/source": act("Count logins from zero again"),
  "DELETE /auth/attempts/:node": act("Count logins from zero again"),
  "POST /login": one("Check a user name and a password", "Login"),
  "DELETE /login": act("Log out: nothing is kept of a login"),

  "GET /queues": list("Queues", "Queue"),
  "GET /queues/detailed": list("Queues", "Queue"),
  "GET /queues/:vhost": list("Queues of a virtual host", "Queue"),
  "GET /queues/:vhost/:queue": one("One queue", "Queue"),
  "PUT /queues/:vhost/:queue": set("Declare a queue", "QueueBody"),
  "DELETE /queues/:vhost/:queue": act("Delete a queue; if-empty=true and if-unused=true only when it is"),
  "GET /queues/quorum/:vhost/:queue/status": list("The replicas of a quorum queue", "Replica"),
  "POST /queues/quorum/:vhost/:queue/replicas/add": set("Nothing is left to do on the only node", "NodeBody"),
  "DELETE /queues/quorum/:vhost/:queue/replicas/delete": set("Refused: there is one replica", "NodeBody"),
  "POST /queues/quorum/replicas/on/:node/grow": act("Nothing is left to do on the only node"),
  "DELETE /queues/quorum/replicas/on/:node/shrink": act("Refused: there is one replica"),
  "DELETE /queues/:vhost/:queue/contents": act("Drop all messages that are ready in a queue"),
  "POST /queues/:vhost/:queue/get": { summary: "Fetch messages", body: "Get", answer: "Message", list: true },
  "GET /queues/:vhost/:queue/messages": {
    summary: "Look at messages, ready and unacked, and leave them as they are",
    answer: "MessagePage",
    query: ["offset", "limit", "header", "property", "body", "truncate", "encoding"],
  },
  "DELETE /queues/:vhost/:queue/messages": {
    summary: "Delete the ready messages that have a header, a property, or a text in their body, or all",
    answer: "Deleted",
    query: ["header", "property", "body", "all"],
  },
  "DELETE /queues/:vhost/:queue/messages/:id": act("Delete one ready message"),
  "POST /queues/:vhost/:queue/messages/move": {
    summary: "Move the ready messages that have a header, a property, or a text in their body, or all",
    body: "Move",
    answer: "Moved",
  },
  "POST /queues/:vhost/:queue/messages/replay": {
    summary: "Move ready dead letters back to the queues they died in first, or tell with dry_run what that would be",
    body: "Replay",
    answer: "Replayed",
  },
  "POST /queues/:vhost/:queue/messages/:id/move": { summary: "Move one ready message", body: "Move", answer: "Moved" },
  "GET /queues/:vhost/:queue/bindings": list("Bindings of a queue", "Binding"),

  "GET /bindings": list("Bindings", "Binding"),
  "GET /bindings/:vhost": list("Bindings of a virtual host", "Binding"),
  "GET /bindings/:vhost/e/:source/q/:destination": list("Bindings between an exchange and a queue", "Binding"),
  "POST /bindings/:vhost/e/:source/q/:destination": set("Bind a queue", "BindingBody"),
  "GET /bindings/:vhost/e/:source/q/:destination/:properties": one("One binding", "Binding"),
  "DELETE /bindings/:vhost/e/:source/q/:destination/:properties": act("Unbind a queue"),
  "GET /bindings/:vhost/e/:source/e/:destination": list("Bindings between two exchanges", "Binding"),
  "POST /bindings/:vhost/e/:source/e/:destination": set("Bind an exchange", "BindingBody"),
  "GET /bindings/:vhost/e/:source/e/:destination/:properties": one("One binding", "Binding"),
  "DELETE /bindings/:vhost/e/:source/e/:destination/:properties": act("Unbind an exchange"),

  "GET /connections": list("Connections", "Connection"),
  "GET /connections/:name": one("One connection", "Connection"),
  "DELETE /connections/:name": act("Close a connection; the header X-Reason tells the client why"),
  "GET /connections/:name/channels": list("Channels of a connection", "Channel"),
  "GET /connections/username/:user": list("Connections of a user", "Connection"),
  "DELETE /connections/username/:user": act("Close the connections of a user"),
  "GET /connections/:name/sessions": list("Refused: there is no AMQP 1.0", "Fields"),
  "GET /channels": list("Channels", "Channel"),
  "GET /channels/:name": one("One channel", "Channel"),
  "GET /consumers": list("Consumers", "Consumer"),
  "GET /consumers/:vhost": list("Consumers in a virtual host", "Consumer"),

  "GET /policies": list("Policies", "Policy"),
  "GET /policies/:vhost": list("Policies of a virtual host", "Policy"),
  "GET /policies/:vhost/:policy": one("One policy", "Policy"),
  "PUT /policies/:vhost/:policy": set("Add a policy, or replace one", "PolicyBody"),
  "DELETE /policies/:vhost/:policy": act("Delete a policy"),
  "GET /operator-policies": list("Policies of operators", "Policy"),
  "GET /operator-policies/:vhost": list("Policies of operators of a virtual host", "Policy"),
  "GET /operator-policies/:vhost/:policy": one("One policy of an operator", "Policy"),
  "PUT /operator-policies/:vhost/:policy": set("Add a policy of an operator, or replace one", "PolicyBody"),
  "DELETE /operator-policies/:vhost/:policy": act("Delete a policy of an operator"),

  "GET /vhost-limits": list("Limits of virtual hosts", "VhostLimits"),
  "GET /vhost-limits/:vhost": list("Limits of a virtual host", "VhostLimits"),
  "PUT /vhost-limits/:vhost/:limit": set("Limit connections or queues of a virtual host", "LimitBody"),
  "DELETE /vhost-limits/:vhost/:limit": act("Lift a limit of a virtual host"),
  "GET /user-limits": list("Limits of users", "UserLimits"),
  "GET /user-limits/:user": list("Limits of a user", "UserLimits"),
  "PUT /user-limits/:user/:limit": set("Limit connections or channels of a user", "LimitBody"),
  "DELETE /user-limits/:user/:limit": act("Lift a limit of a user"),

  "GET /parameters": list("Parameters of virtual hosts", "Parameter"),
  "GET /parameters/:component": list("Parameters of a component", "Parameter"),
  "GET /parameters/:component/:vhost": list("Parameters of a component in a virtual host", "Parameter"),
  "PUT /parameters/:component/:vhost/:parameter": set(
    "Set the limits of a virtual host; no other component takes parameters",
    "ParameterBody",
  ),
  "GET /parameters/:component/:vhost/:parameter": one("One parameter", "Parameter"),
  "DELETE /parameters/:component/:vhost/:parameter": act("Remove a parameter"),
  "GET /global-parameters": list("Global parameters", "GlobalParameter"),
  "GET /global-parameters/:name": one("One global parameter", "GlobalParameter"),
  "PUT /global-parameters/:name": set("Set a global parameter", "ParameterBody"),
  "DELETE /global-parameters/:name": act("Remove a global parameter"),

  "GET /definitions": one("Everything that is defined", "Definitions"),
  "POST /definitions": set("Take in definitions, all or none", "Definitions"),
  "GET /all-configuration": one("Everything that is defined", "Definitions"),
  "POST /all-configuration": set("Take in definitions, all or none", "Definitions"),
  "GET /definitions/:vhost": one("Everything that is defined in a virtual host", "Definitions"),
  "POST /definitions/:vhost": set("Take definitions into a virtual host, all or none", "Definitions"),

  "GET /log": list("The last lines of the log", "Fields"),
  "GET /stream": {
    summary: "Server-sent events: answers to the paths in `watch`, a JSON list, each time that they change",
    answer: "Text",
    query: ["watch", "log"],
  },

  "POST /backup": one("The data file as it is now, for another broker to start on", "DataFile"),

  "GET /health/checks/alarms": health("No alarm is set"),
  "GET /health/checks/local-alarms": health("No alarm is set on this node"),
  "GET /health/checks/virtual-hosts": health("All virtual hosts run"),
  "GET /health/checks/node-is-quorum-critical": health("No quorum would be lost with this node"),
  "GET /health/checks/node-is-mirror-sync-critical": health("No mirror would be lost with this node"),
  "GET /health/checks/metadata-store/initialized": health("Definitions are loaded"),
  "GET /health/checks/port-listener/:port": health("Something listens on the port"),
  "GET /health/checks/protocol-listener/:protocols": health("The protocols, with commas between, are served"),
  "GET /health/checks/certificate-expiration/:within/:unit": health("No certificate expires in this time"),
  "GET /health/checks/data-damage": health("No stored message was found damaged"),
  "GET /health/checks/is-in-service": health("The node serves clients"),
  "GET /health/checks/below-node-connection-limit": health("More clients may connect"),
  "GET /health/checks/ready-to-serve-clients": health("AMQP clients may connect"),
  "GET /health/checks/metadata-store/initialized/with-data": health("Definitions are loaded"),
  "GET /health/checks/quorum-queues-without-elected-leaders/all-vhosts": health("All quorum queues have leaders"),
  "GET /health/checks/quorum-queues-without-elected-leaders/all-vhosts/pattern/:pattern": health("Those named so have"),
  "GET /health/checks/quorum-queues-without-elected-leaders/vhost/:vhost": health("All in a virtual host have"),
  "GET /health/checks/quorum-queues-without-elected-leaders/vhost/:vhost/pattern/:pattern":
    health("Those named so have"),
  "GET /health/checks/reached-target-cluster-size": health("There are as many nodes as there should be"),
  "GET /healthchecks/node/:node": health("No alarm is set on this node"),
  "GET /aliveness-test/:vhost": health("The virtual host can be used"),
  "GET /healthchecks/node": health("No alarm is set on this node"),
};
