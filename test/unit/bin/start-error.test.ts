import { expect, it } from "vitest";
import { startErrorText } from "../../../bin/start-error.ts";
import { defaultConfig } from "../../../src/config.ts";
import { StoreError } from "../../../src/store/store.ts";

const config = { ...defaultConfig(), host: "10.0.0.1", managementHost: "10.0.0.2" };

function systemError(details: object): Error {
  return Object.assign(new Error("message"), details);
}

it.each([
  [
    systemError({ code: "EADDRINUSE", syscall: "listen", port: 5672 }),
    "port 5672 is in use by another process; choose another with --port",
  ],
  [
    systemError({ code: "EADDRINUSE", syscall: "listen", port: 15_672 }),
    "port 15672 is in use by another process; choose another with --management-port",
  ],
  [
    systemError({ code: "EACCES", syscall: "listen", port: 5672 }),
    "not allowed to listen on port 5672; choose one from 1024 with --port",
  ],
  [
    systemError({ code: "EADDRNOTAVAIL", syscall: "listen", port: 5672 }),
    "'10.0.0.1' is no address of this machine; choose another with --host",
  ],
  [
    systemError({ code: "EADDRNOTAVAIL", syscall: "listen", port: 15_672 }),
    "'10.0.0.2' is no address of this machine; choose another with --management-host",
  ],
  [systemError({ code: "EINVAL", syscall: "bind", port: 5672 }), "cannot listen on port 5672: EINVAL"],
  [
    systemError({ code: "ENOTFOUND", syscall: "getaddrinfo" }),
    "cannot listen on '10.0.0.1': no such host; choose another with --host",
  ],
  [
    systemError({ code: "EACCES", syscall: "mkdir", path: "/data" }),
    "cannot use the data directory: EACCES on '/data'; choose another with --data-dir",
  ],
  [new StoreError("the data is of a newer version"), "the data is of a newer version"],
  [new Error("boom"), "cannot start: boom"],
  ["text", "cannot start: text"],
])("%s reads '%s'", (error, text) => {
  expect(startErrorText(error, config)).toBe(text);
});
