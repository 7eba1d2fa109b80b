import { hostname } from "node:os";

/** The name of this one node. It is what RabbitMQ's would be here, as tools expect it: some ask for no other. */
export const nodeName = `rabbit@${hostname().split(".")[0]}`;
