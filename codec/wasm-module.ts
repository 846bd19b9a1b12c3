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
  readonly RuntimeError: new (message?: string) => Error;
}

const { WebAssembly } = globalThis as unknown as { readonly WebAssembly: WasmApi };

/** A compiled module that imports nothing: each call gives the exports of a fresh instance with memory of its own. */
export type WasmInstantiate = () => unknown;

/** @throws Error when the file is missing or not a module */
export function compileWasmModule(file: URL): WasmInstantiate {
  const module = new WebAssembly.Module(readFileSync(file));
  return () => new WebAssembly.Instance(module).exports;
}

/** Whether an error is the end of an instance (an abort, a failed allocation), whose memory must not be used again. */
export function isWasmTrap(error: unknown): boolean {
  return error instanceof WebAssembly.RuntimeError;
}

/**
 * Compiles a module that imports nothing, and gives what it exports. Meant to run while JavaScript modules are loaded, so
 * that every later call is an ordinary one; each worker thread gets an instance and memory of its own.
 *
 * @throws Error when the file is missing or not a module
 */
export function loadWasmModule(file: URL): unknown {
  return compileWasmModule(file)();
}
