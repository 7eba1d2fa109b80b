const mappedPrefix = "::ffff:";

/** An address of a socket as people write it: IPv4 that comes by a socket of IPv6 as IPv4; empty for one that has gone. */
export function plainAddress(address: string | undefined): string {
  if (address === undefined) return "";
  return address.startsWith(mappedPrefix) ? address.slice(mappedPrefix.length) : address;
}

/** An address and a port in one text, as RabbitMQ writes them in the names of connections: with brackets around IPv6. */
export function endpoint(address: string | undefined, port: number | undefined): string {
  const plain = plainAddress(address);
  return `${plain.includes(":") ? `[${plain}]` : plain}:${port}`;
}
