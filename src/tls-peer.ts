import type { X509Certificate } from "node:crypto";
import type { TLSSocket } from "node:tls";
import type { CertLogin } from "./login-names.ts";

/** What management shows of a connection over TLS, in RabbitMQ's words. */
export interface TlsView {
  readonly protocol: string;
  readonly cipher: string;
  readonly keyExchange: string;
  readonly hash: string;
  readonly certIssuer: string | undefined;
  readonly certSubject: string | undefined;
  readonly certValidity: string | undefined;
}

/** The other end of a connection over TLS, whose certificate, if it has one, was found good. */
export class TlsPeer {
  readonly #certificate: X509Certificate | undefined;
  /** Whether the peer was asked for a certificate. */
  readonly mayHaveCertificate: boolean;
  readonly view: TlsView;

  constructor(socket: TLSSocket, mayHaveCertificate: boolean) {
    this.#certificate = mayHaveCertificate ? socket.getPeerX509Certificate() : undefined;
    this.mayHaveCertificate = mayHaveCertificate;
    this.view = { ...cipherView(socket), ...certificateView(this.#certificate) };
  }

  /** The name that the certificate gives; undefined without one. */
  loginName(login: CertLogin): string | undefined {
    const certificate = this.#certificate;
    if (certificate === undefined) return undefined;
    switch (login.from) {
      case "distinguished_name":
        return distinguishedName(certificate.subject);
      case "common_name":
        return commonName(certificate.subject);
      case "subject_alternative_name":
        return alternativeNames(certificate.subjectAltName ?? "", login.sanType)[login.sanIndex];
      default:
        return login.from satisfies never;
    }
  }
}

function cipherView(socket: TLSSocket) {
  const { standardName, version } = socket.getCipher();
  return { protocol: version.toLowerCase(), ...suiteParts(standardName) };
}

/** `TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384`, or without key exchange as of TLS 1.3, in the parts that Erlang names. */
export function suiteParts(name: string): { cipher: string; keyExchange: string; hash: string } {
  const words = name.replace(/^TLS_/, "").toLowerCase();
  const [exchange, rest] = words.includes("_with_") ? words.split("_with_") : ["any", words];
  const { cipher = rest ?? "", hash = "" } = /^(?<cipher>.+)_(?<hash>sha\d*|md5)$/.exec(rest ?? "")?.groups ?? {};
  const isAead = /gcm|ccm|poly1305/.test(cipher);
  return { cipher, keyExchange: exchange ?? "any", hash: isAead || hash === "" ? "aead" : hash };
}

function certificateView(certificate: X509Certificate | undefined) {
  if (certificate === undefined) return { certIssuer: undefined, certSubject: undefined, certValidity: undefined };
  return {
    certIssuer: distinguishedName(certificate.issuer),
    certSubject: distinguishedName(certificate.subject),
    certValidity: `${isoSeconds(certificate.validFrom)} - ${isoSeconds(certificate.validTo)}`,
  };
}

function isoSeconds(date: string): string {
  return new Date(date).toISOString().replace(".000", "");
}

/** RabbitMQ's names of attributes that OpenSSL calls something else. */
const attributeNames: Readonly<Record<string, string>> = { GN: "GIVENNAME" };

/**
 * A name as RabbitMQ spells it: what is most special comes first. Node gives one attribute a line, the most general
 * first, with the escapes of RFC 2253, which are ours too; a line break in a value is one of them.
 */
export function distinguishedName(lines: string): string {
  const names = lines.split("\n").filter((line) => line !== "");
  return names
    .reverse()
    .map((line) =>
      line.replaceAll(/(?<=^|(?<!\\) \+ )([A-Za-z0-9.]+)=/g, (_match, name: string) => `${attribute(name)}=`),
    )
    .map((line) => line.replaceAll(/(?<!\\) \+ (?=[A-Z0-9.]+=)/g, "+"))
    .join(",");
}

function attribute(name: string): string {
  return attributeNames[name] ?? name.toUpperCase();
}

/** All common names joined, as RabbitMQ does; undefined without one. */
function commonName(lines: string): string | undefined {
  const found = lines.split("\n").filter((line) => line.startsWith("CN="));
  return found.length === 0 ? undefined : found.map((line) => unescaped(line.slice(3))).join(",");
}

/** `\C3\A9` is a byte each, `\,` a character. */
function unescaped(text: string): string {
  const bytes = text.replaceAll(/((?:\\[0-9A-F]{2})+)/g, (hex) =>
    Buffer.from(hex.replaceAll("\\", ""), "hex").toString(),
  );
  return bytes.replaceAll(/\\(.)/g, "$1");
}

const alternativePrefixes = { dns: "DNS:", ip: "IP Address:", email: "email:", uri: "URI:" } as const;

/** Node's text is `DNS:a, DNS:b`, with those in quotes whose commas or quotes could be mistaken. */
export function alternativeNames(text: string, type: keyof typeof alternativePrefixes): string[] {
  const prefix = alternativePrefixes[type];
  const entries = text.match(/[^,:"]+:(?:"(?:[^"\\]|\\.)*"|[^,]*)/g) ?? [];
  return entries
    .map((entry) => entry.trimStart())
    .filter((entry) => entry.startsWith(prefix))
    .map((entry) => plainValue(entry.slice(prefix.length)));
}

function plainValue(value: string): string {
  if (!value.startsWith('"')) return value;
  const parsed: unknown = JSON.parse(value);
  return String(parsed);
}
