import type { ConfigLine } from "./config-file.ts";
import { flag, integer, joined, type Option, oneOf, someOf, text } from "./option-types.ts";

/** A certificate with its key, as files of PEM. */
export interface CertificateFiles {
  readonly certfile: string;
  readonly keyfile: string;
}

/** The versions that are spoken; what is older is broken. */
export type TlsVersion = "tlsv1.3" | "tlsv1.2";

/** How a listener of TLS shows itself, and what it asks of those who connect. */
export interface TlsConfig {
  readonly certificate: CertificateFiles;
  /** Of the certificate's key. */
  readonly password: string | undefined;
  /** Authorities whose certificates clients may have; without it those that Node trusts. */
  readonly cacertfile: string | undefined;
  /** Whether a client is asked for a certificate, which then must be a good one. */
  readonly verifyPeer: boolean;
  readonly failIfNoPeerCert: boolean;
  /** Most authorities between a client's certificate and one that is trusted. */
  readonly depth: number;
  readonly versions: readonly TlsVersion[];
  /** In the words of OpenSSL; undefined for Node's choice. */
  readonly ciphers: string | undefined;
  readonly honorCipherOrder: boolean;
  /** Certificates for those who ask for a host by this name; `*.` at its start stands for any word. */
  readonly sni: ReadonlyMap<string, CertificateFiles>;
}

/** The settings of TLS for one face of the broker, whose keys `keysOf` names. */
export function tlsOptions(face: string, keysOf: (key: string) => readonly string[], env?: string) {
  const file = (help: string, key: string) => ({
    takes: "<file>",
    help: `${help}, for TLS of ${face}`,
    ...text("a file"),
    fallback: (): string | undefined => undefined,
    fallbackText: "none",
    keys: keysOf(key),
    ...(env !== undefined && { otherEnv: [`${env}_${key.toUpperCase()}`] }),
  });
  return {
    certfile: file("certificate with those that signed it, in PEM", "certfile") satisfies Option<string | undefined>,
    keyfile: file("key of the certificate, in PEM", "keyfile") satisfies Option<string | undefined>,
    cacertfile: file("authorities that sign clients' certificates, in PEM", "cacertfile") satisfies Option<
      string | undefined
    >,
    password: {
      takes: "<password>",
      help: `password of the key, for TLS of ${face}; rather in the environment or a file than a flag`,
      ...text("a password"),
      fallback: (): string | undefined => undefined,
      fallbackText: "none",
      keys: keysOf("password"),
      mayBeInFile: true,
      isSecret: true,
    } satisfies Option<string | undefined>,
    verify: {
      takes: "<word>",
      help: `whether certificates of clients are asked for and checked, for TLS of ${face}`,
      ...oneOf("verify_peer", "verify_none"),
      fallback: () => "verify_none",
      keys: keysOf("verify"),
      ...(env !== undefined && { otherEnv: [`${env}_VERIFY`] }),
    } satisfies Option<string>,
    failIfNoPeerCert: {
      takes: "<boolean>",
      help: `whether a client without a certificate is turned away when they are asked for, for TLS of ${face}`,
      ...flag(),
      fallback: () => false,
      keys: keysOf("fail_if_no_peer_cert"),
      ...(env !== undefined && { otherEnv: [`${env}_FAIL_IF_NO_PEER_CERT`] }),
    } satisfies Option<boolean>,
    depth: {
      takes: "<number>",
      help: `most authorities between a client's certificate and a trusted one, for TLS of ${face}`,
      ...integer(0, 255),
      fallback: () => 1,
      keys: keysOf("depth"),
      ...(env !== undefined && { otherEnv: [`${env}_DEPTH`] }),
    } satisfies Option<number>,
    versions: {
      takes: "<names>",
      help: `versions of TLS that are spoken, for ${face}`,
      ...someOf("tlsv1.3", "tlsv1.2"),
      fallback: (): readonly TlsVersion[] => ["tlsv1.3", "tlsv1.2"],
      fallbackText: "tlsv1.3,tlsv1.2",
      keys: keysOf("versions.$number"),
      read: joined(","),
    } satisfies Option<readonly TlsVersion[]>,
    ciphers: {
      takes: "<names>",
      help: `cipher suites by OpenSSL's names, separated by colons, for TLS of ${face}`,
      ...text("names of cipher suites"),
      fallback: (): string | undefined => undefined,
      fallbackText: "Node's",
      keys: keysOf("ciphers.$number"),
      read: joined(":"),
    } satisfies Option<string | undefined>,
    honorCipherOrder: {
      takes: "<boolean>",
      help: `whether the broker's order of cipher suites counts and not the client's, for TLS of ${face}`,
      ...flag(),
      fallback: () => true,
      keys: keysOf("honor_cipher_order"),
    } satisfies Option<boolean>,
    sni: {
      takes: "<list>",
      help: `more certificates, by the name of the host that a client asks for, for TLS of ${face}`,
      allowed: "host=certfile,keyfile, separated by semicolons",
      parse: parseSni,
      write: (hosts) => [...hosts].map(([host, files]) => `${host}=${files.certfile},${files.keyfile}`).join(";"),
      fallback: (): ReadonlyMap<string, CertificateFiles> => new Map(),
      fallbackText: "none",
      keys: keysOf("sni.$host.$file"),
      read: readSni,
    } satisfies Option<ReadonlyMap<string, CertificateFiles>>,
  } as const;
}

function parseSni(given: string): ReadonlyMap<string, CertificateFiles> | undefined {
  const hosts = new Map<string, CertificateFiles>();
  for (const part of given.split(";")) {
    const { host, certfile, keyfile } =
      /^\s*(?<host>[^=,]+)=(?<certfile>[^,]+),(?<keyfile>[^,]+?)\s*$/.exec(part)?.groups ?? {};
    if (host === undefined || certfile === undefined || keyfile === undefined) return undefined;
    hosts.set(host.toLowerCase(), { certfile, keyfile });
  }
  return hosts;
}

/** `sni.HOST.certfile` and `sni.HOST.keyfile`, for any number of hosts. A half of a pair makes a text that is refused. */
function readSni(lines: readonly ConfigLine[]): string {
  const hosts = new Map<string, Map<string, string>>();
  for (const { key, value } of lines) {
    const [host = "", file = ""] = key.slice(-2);
    hosts.set(host, (hosts.get(host) ?? new Map<string, string>()).set(file, value));
  }
  return [...hosts]
    .map(([host, files]) => `${host}=${files.get("certfile") ?? ""},${files.get("keyfile") ?? ""}`)
    .join(";");
}
