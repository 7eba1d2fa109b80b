import { BrokerError } from "../../errors.ts";
import { decodeTable, MalformedTableError } from "../../field-table.ts";
import { erlangBinary } from "../../record.ts";

/** The mechanisms offered in connection.start, best first. */
export const mechanisms = "PLAIN AMQPLAIN";

export interface Credentials {
  readonly username: string;
  readonly password: string;
}

/** Reads the credentials of a start-ok. Throws COMMAND_INVALID for another mechanism, SYNTAX_ERROR for a bad response. */
export function readCredentials(mechanism: string, response: Buffer): Credentials {
  switch (mechanism) {
    case "PLAIN":
      return readPlain(response);
    case "AMQPLAIN":
      return readAmqplain(response);
    default:
      throw new BrokerError("COMMAND_INVALID", `unknown authentication mechanism '${mechanism}'`);
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
