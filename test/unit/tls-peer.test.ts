import { describe, expect, it } from "vitest";
import { alternativeNames, distinguishedName, suiteParts } from "../../src/tls-peer.ts";

describe("a distinguished name", () => {
  it.each([
    ["CN=app", "CN=app"],
    ["C=DE\nO=Acme\\, Inc.\nCN=app", "CN=app,O=Acme\\, Inc.,C=DE"],
    ["DC=test\nDC=shop\nCN=a=b", "CN=a=b,DC=shop,DC=test"],
    ["O=x\nCN=app + emailAddress=a@b.test", "CN=app+EMAILADDRESS=a@b.test,O=x"],
    ["O=a + b\nserialNumber=1", "SERIALNUMBER=1,O=a + b"],
  ])("%j is %s in RabbitMQ's words", (lines, name) => {
    expect(distinguishedName(lines)).toBe(name);
  });
});

describe("alternative names", () => {
  it("are found by their kind, in their order", () => {
    const text = 'DNS:a.test, IP Address:127.0.0.1, email:a@b.test, URI:urn:x:1, DNS:b.test, URI:"http://x/,DNS:evil"';
    expect(alternativeNames(text, "dns")).toEqual(["a.test", "b.test"]);
    expect(alternativeNames(text, "ip")).toEqual(["127.0.0.1"]);
    expect(alternativeNames(text, "email")).toEqual(["a@b.test"]);
    expect(alternativeNames(text, "uri")).toEqual(["urn:x:1", "http://x/,DNS:evil"]);
    expect(alternativeNames("", "dns")).toEqual([]);
  });
});

describe("a cipher suite", () => {
  it.each([
    ["TLS_AES_256_GCM_SHA384", ["aes_256_gcm", "any", "aead"]],
    ["TLS_CHACHA20_POLY1305_SHA256", ["chacha20_poly1305", "any", "aead"]],
    ["TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256", ["aes_128_gcm", "ecdhe_rsa", "aead"]],
    ["TLS_ECDHE_ECDSA_WITH_AES_256_CBC_SHA384", ["aes_256_cbc", "ecdhe_ecdsa", "sha384"]],
  ])("%s has the parts that Erlang names", (name, [cipher, keyExchange, hash]) => {
    expect(suiteParts(name)).toEqual({ cipher, keyExchange, hash });
  });
});
