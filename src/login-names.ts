/** A way to log in over AMQP. */
export type Mechanism = "PLAIN" | "AMQPLAIN" | "EXTERNAL";

/** What of a client's certificate names the user. */
export type LoginName = "distinguished_name" | "common_name" | "subject_alternative_name";

/** Kinds of subject alternative names. */
export type SanType = "dns" | "ip" | "email" | "uri";

/** Where the user's name is in a certificate. */
export interface CertLogin {
  readonly from: LoginName;
  readonly sanType: SanType;
  readonly sanIndex: number;
}
