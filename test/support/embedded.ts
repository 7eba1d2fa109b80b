/** The package's main export as it is built, so that a broker with a data directory has its writer's thread. */
const built = new URL("../../dist/src/embedded.js", import.meta.url).href;
const module: typeof import("../../src/embedded.ts") = await import(built);

export const { startBroker } = module;
