/** The version of this broker, the same as package.json's. */
export const version = "0.1.0";

/** The RabbitMQ whose interfaces these are: what tools are told that ask how old the RabbitMQ is. */
export const rabbitmqVersion = "3.13.7";
