import { hostname } from "node:os";

/** The name of this one node. It is what RabbitMQ's would be here, as tools expect it: some ask for no other. */
export const nodeName = named(process.env["TSBROKER_NODENAME"] || process.env["RABBITMQ_NODENAME"] || "rabbit");

/** A name without a host gets that of this machine. */
function named(name: string): string {
  return name.includes("@") ? name : `${name}@${hostname().split(".")[0]}`;
}
