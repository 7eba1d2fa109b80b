import { execFileSync } from "node:child_process";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";

/** A certificate and its key, as files. */
export interface CertificatePair {
  readonly certfile: string;
  readonly keyfile: string;
  /** The same read, under the names that clients of TLS take. */
  readonly cert: Buffer;
  readonly key: Buffer;
}

/** What a certificate says. */
export interface CertificateOptions {
  readonly subject: string;
  readonly alternativeNames?: string;
  readonly days?: number;
}

function openssl(args: readonly string[]): void {
  execFileSync("openssl", args, { stdio: ["ignore", "ignore", "pipe"] });
}

/** An authority of one test that signs certificates with openssl. */
export class Authority {
  readonly #directory: string;
  readonly #name: string;

  constructor(directory: string, name: string) {
    this.#directory = directory;
    this.#name = name;
    const { certfile, keyfile } = this.#files(name);
    openssl([
      ..."req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2".split(" "),
      "-subj",
      `/CN=${name}`,
      "-keyout",
      keyfile,
      "-out",
      certfile,
    ]);
  }

  get certfile(): string {
    return this.#files(this.#name).certfile;
  }

  get cert(): Buffer {
    return readFileSync(this.certfile);
  }

  /** A new certificate in files of this name, in the place of older ones. */
  issue(name: string, { subject, alternativeNames, days = 2 }: CertificateOptions): CertificatePair {
    const { certfile, keyfile } = this.#files(name);
    const [request, extensions] = [this.#file(`${name}.csr`), this.#file(`${name}.ext`)];
    openssl([
      ..."req -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -utf8".split(" "),
      "-subj",
      subject,
      "-keyout",
      keyfile,
      "-out",
      request,
    ]);
    writeFileSync(
      extensions,
      alternativeNames === undefined ? "basicConstraints=CA:FALSE\n" : `subjectAltName=${alternativeNames}\n`,
    );
    const own = this.#files(this.#name);
    openssl([
      "x509",
      "-req",
      "-days",
      String(days),
      "-in",
      request,
      "-CA",
      own.certfile,
      "-CAkey",
      own.keyfile,
      "-CAcreateserial",
      "-extfile",
      extensions,
      "-out",
      certfile,
    ]);
    return { certfile, keyfile, cert: readFileSync(certfile), key: readFileSync(keyfile) };
  }

  #files(name: string): { certfile: string; keyfile: string } {
    return { certfile: this.#file(`${name}.pem`), keyfile: this.#file(`${name}.key`) };
  }

  #file(name: string): string {
    return join(this.#directory, name);
  }
}
