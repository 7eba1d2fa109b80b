/** The built store: its writer thread runs compiled code only. Types come from the sources, so none need be built. */
const built = new URL("../../dist/src/store/threaded-store.js", import.meta.url).href;
const module: typeof import("../../src/store/threaded-store.ts") = await import(built);

export const { ThreadedStore } = module;
export type { ThreadedStore as ThreadedStoreType } from "../../src/store/threaded-store.ts";
