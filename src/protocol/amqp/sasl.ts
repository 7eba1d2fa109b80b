import { BrokerError } from "../../errors.ts";
import { decodeTable, MalformedTableError } from "../../field-table.ts";
import type { Mechanism } from "../../login-names.ts";
import { erlangBinary } from "../../record.ts";
import type { TlsPeer } from "../../tls-peer.ts";

/** Who a client says it is, and by what it proves that. */
export interface Credentials {
  readonly username: string;
  readonly password: string;
}

/** The mechanisms offered to a client, best first: EXTERNAL only to one that was asked for a certificate. */
export function offeredMechanisms(configured: readonly Mechanism[], peer: TlsPeer | undefined): readonly Mechanism[] {
  return configured.filter((mechanism) => mechanism !== "EXTERNAL" || peer?.mayHaveCertificate === true);
}

/** Finds the mechanism that a client chose. Throws COMMAND_INVALID for one that it was not offered. */
export function chosenMechanism(name: string, offered: readonly Mechanism[]): Mechanism {
  const mechanism = offered.find((each) => each === name);
  if (mechanism === undefined) {
    throw new BrokerError("COMMAND_INVALID", `unknown authentication mechanism '${name}'`);
  }
  return mechanism;
}

/** Reads the credentials of a start-ok. Throws SYNTAX_ERROR for a bad response. */
export function readCredentials(mechanism: "PLAIN" | "AMQPLAIN", response: Buffer): Credentials {
  switch (mechanism) {
    case "PLAIN":
      return readPlain(response);
    case "AMQPLAIN":
      return readAmqplain(response);
    default:
      return mechanism satisfies never;
  }
}

/** `NUL user NUL password` with an empty authorization identity (RFC 4616). */
function readPlain(response: Buffer): Credentials {
  const parts = response.toString("utf8").split("\0");
  const [authorization, username, password] = parts;
  if (parts.length !== 3 || authorization !== "" || username === undefined || password === undefined) {
    // The response holds the password: the text must not repeat it.
    throw new BrokerError("SYNTAX_ERROR", `response ${erlangBinary(Buffer.alloc(0))} invalid`);
  }
  return { username, password };
}

/** A field table without its length, with LOGIN and PASSWORD. */
function readAmqplain(response: Buffer): Credentials {
  const table = Buffer.alloc(4 + response.length);
  table.writeUInt32BE(response.length);
  response.copy(table, 4);
  try {
    const fields = decodeTable(table, 0, table.length);
    const login = fields.get("LOGIN");
    const password = fields.get("PASSWORD");
    if (login?.type === "longstr" && password?.type === "longstr") {
      return { username: login.value.toString(), password: password.value.toString() };
    }
  } catch (error) {
    if (!(error instanceof MalformedTableError)) throw error;
  }
  throw new BrokerError("SYNTAX_ERROR", "AMQPLAIN auth info is missing LOGIN or PASSWORD field");
}
