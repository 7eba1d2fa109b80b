import { hostname } from "node:os";

/** The name of this one node, in the form that RabbitMQ's have. */
export const nodeName = `tsbroker@${hostname()}`;
