/** Loads the WebAssembly modules that are committed beside the code which calls them. */
import { readFileSync } from 'node:fs';

/** A module's linear memory; `buffer` is another one after the memory has grown. */
export interface WasmMemory {
  readonly buffer: ArrayBuffer;
}

/** The part of the WebAssembly JavaScript interface used here; TypeScript has it only together with the browser's types. */
interface WasmApi {
  readonly Module: new (bytes: Uint8Array) => object;
  readonly Instance: new (module: object) => { readonly exports: unknown };
}

/**
 * Compiles a module that imports nothing, and gives what it exports. Meant to run while JavaScript modules are loaded, so
 * that every later call is an ordinary one; each worker thread gets an instance and memory of its own.
 *
 * @throws Error when the file is missing or not a module
 */
export function loadWasmModule(file: URL): unknown {
  const { WebAssembly } = globalThis as unknown as { readonly WebAssembly: WasmApi };
  return new WebAssembly.Instance(new WebAssembly.Module(readFileSync(file))).exports;
}
