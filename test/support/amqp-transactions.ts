import type { Channel } from "amqplib";

const txClass = 90 << 16;
const methods = { select: 10, commit: 20, rollback: 30 } as const;

/** Sends a method of the tx class and waits for its answer: amqplib has none of them, but sends any method by its number. */
export async function transactionCall(channel: Channel, name: keyof typeof methods): Promise<void> {
  const raw = channel as unknown as { rpc(method: number, fields: object, expect: number): Promise<unknown> };
  await raw.rpc(txClass | methods[name], {}, txClass | (methods[name] + 1));
}
