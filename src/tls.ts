import { X509Certificate } from "node:crypto";
import { readFileSync } from "node:fs";
import {
  createSecureContext,
  type DetailedPeerCertificate,
  type PeerCertificate,
  type SecureContext,
  type SecureContextOptions,
  type SecureVersion,
  type Server,
  type TLSSocket,
  type TlsOptions,
} from "node:tls";
import type { CertificateFiles, TlsConfig, TlsVersion } from "./tls-config.ts";
import { TlsPeer } from "./tls-peer.ts";

/** Files of TLS that cannot be used; the message names them. */
export class TlsError extends Error {
  override readonly name = "TlsError";
}

/** What was read of the files, all at one time. */
interface Loaded {
  readonly options: SecureContextOptions;
  readonly hosts: ReadonlyMap<string, SecureContext>;
  readonly expiresAt: number;
}

const versions: Readonly<Record<TlsVersion, SecureVersion>> = { "tlsv1.2": "TLSv1.2", "tlsv1.3": "TLSv1.3" };

/** The certificates that a listener shows, which can be read again while it listens. */
export class TlsIdentity {
  #config: TlsConfig;
  readonly #handshakeTimeoutMs: number;
  #loaded: Loaded;
  #server: Server | undefined;

  /** Throws {@link TlsError} when a file is missing or is not what it should be. */
  constructor(config: TlsConfig, handshakeTimeoutMs: number) {
    this.#config = config;
    this.#handshakeTimeoutMs = handshakeTimeoutMs;
    this.#loaded = load(config);
  }

  /** What the server that is then given to {@link serve} is made with. */
  get serverOptions(): TlsOptions {
    const { verifyPeer, failIfNoPeerCert } = this.#config;
    return {
      ...this.#loaded.options,
      handshakeTimeout: this.#handshakeTimeoutMs,
      requestCert: verifyPeer,
      // Without a certificate a client is let in unless that is asked for; accepts() turns away those with a bad one.
      rejectUnauthorized: verifyPeer && failIfNoPeerCert,
      SNICallback: (host, done) => done(null, this.#contextOf(host.toLowerCase())),
    };
  }

  /** Certificates that are read again from now on count for new connections to this server. */
  serve(server: Server): void {
    this.#server = server;
  }

  /**
   * Reads the files again, or others. Throws {@link TlsError}, and goes on with what was there, when they cannot be used.
   */
  reload(config: TlsConfig): void {
    this.#loaded = load(config);
    this.#config = config;
    this.#server?.setSecureContext(this.#loaded.options);
  }

  /** When the first of the certificates that are shown expires, in milliseconds since the epoch. */
  get expiresAt(): number {
    return this.#loaded.expiresAt;
  }

  /** Who is at the other end; undefined for someone whose certificate is no good. */
  accept(socket: TLSSocket): TlsPeer | undefined {
    if (this.#config.verifyPeer && !this.#isGood(socket)) return undefined;
    return new TlsPeer(socket, this.#config.verifyPeer);
  }

  #isGood(socket: TLSSocket): boolean {
    const certificate = socket.getPeerCertificate(true);
    if (isNone(certificate)) return !this.#config.failIfNoPeerCert;
    return socket.authorized && authoritiesBetween(certificate) <= this.#config.depth;
  }

  /** The certificate for a host; undefined for the one that everybody else gets. */
  #contextOf(host: string): SecureContext | undefined {
    const { hosts } = this.#loaded;
    return hosts.get(host) ?? hosts.get(host.replace(/^[^.]+/, "*"));
  }
}

function load(config: TlsConfig): Loaded {
  const options = contextOptions(config, config.certificate);
  checked(config.certificate, options);
  const hosts = [...config.sni].map(([host, files]) => [host, checked(files, contextOptions(config, files))] as const);
  const files = [config.certificate, ...config.sni.values()];
  const expiresAt = Math.min(...files.map(({ certfile }) => Date.parse(new X509Certificate(read(certfile)).validTo)));
  return { options, hosts: new Map(hosts), expiresAt };
}

function contextOptions(config: TlsConfig, { certfile, keyfile }: CertificateFiles): SecureContextOptions {
  const { password, cacertfile, ciphers, honorCipherOrder } = config;
  const spoken = config.versions.map((version) => versions[version]).sort();
  const [minVersion, maxVersion] = [spoken.at(0), spoken.at(-1)];
  return {
    cert: read(certfile),
    key: read(keyfile),
    honorCipherOrder,
    ...(minVersion !== undefined && { minVersion }),
    ...(maxVersion !== undefined && { maxVersion }),
    ...(password !== undefined && { passphrase: password }),
    ...(cacertfile !== undefined && { ca: read(cacertfile) }),
    ...(ciphers !== undefined && { ciphers }),
  };
}

/** OpenSSL's reasons say what is wrong, and nothing of what is in the key. */
function checked({ certfile, keyfile }: CertificateFiles, options: SecureContextOptions): SecureContext {
  try {
    return createSecureContext(options);
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new TlsError(`certificate '${certfile}' with key '${keyfile}' cannot be used: ${reason}`, { cause });
  }
}

function read(file: string): Buffer {
  try {
    return readFileSync(file);
  } catch (cause) {
    throw new TlsError(`cannot read '${file}': ${cause instanceof Error ? cause.message : String(cause)}`, { cause });
  }
}

function isNone(certificate: PeerCertificate): boolean {
  return Object.keys(certificate).length === 0;
}

/** How many certificates stand between this one and the one that is trusted, which signed itself. */
function authoritiesBetween(certificate: DetailedPeerCertificate): number {
  let between = 0;
  let at: DetailedPeerCertificate | undefined = certificate.issuerCertificate;
  const seen = new Set([certificate.fingerprint256]);
  while (at !== undefined && !seen.has(at.fingerprint256)) {
    seen.add(at.fingerprint256);
    if (at.issuerCertificate?.fingerprint256 !== at.fingerprint256) between++;
    at = at.issuerCertificate;
  }
  return between;
}
