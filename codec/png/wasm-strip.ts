/** The WebAssembly module that filters and deflates, one instance for each thread, and its memory. */
import type { WasmMemory } from '../wasm-module.js';
import { loadWasmModule } from '../wasm-module.js';
import type { PngEffort } from './layout.js';

/** What `codec/native/png` exports; addresses and lengths are in bytes of its memory. */
interface PngModule {
  readonly memory: WasmMemory;
  png_workspace(): number;
  png_input(workspace: number, length: number): number;
  png_encode(workspace: number, rowBytes: number, pixelBytes: number, effort: number): number;
  png_output(workspace: number): number;
  png_adler(workspace: number): number;
}

const EFFORTS: Readonly<Record<PngEffort, number>> = { fast: 0, small: 1, smallest: 2 };

const module = loadWasmModule(new URL('./png.wasm', import.meta.url)) as PngModule;
const workspace = module.png_workspace();

/** Deflate blocks of a strip and the Adler-32 of its filtered rows. */
export interface DeflatedStrip {
  /** A view of the module's memory, valid until the next call. */
  readonly blocks: Uint8Array;
  readonly adler32: number;
}

/**
 * Filters and deflates rows.
 *
 * @param rows the strip's rows without gaps
 * @param above the row above the first, or undefined at the top of the picture, where the standard has zeros
 */
export function deflateStrip(
  rows: Uint8Array,
  above: Uint8Array | undefined,
  rowBytes: number,
  pixelBytes: number,
  effort: PngEffort,
): DeflatedStrip {
  const input = module.png_input(workspace, rowBytes + rows.byteLength);
  const memory = new Uint8Array(module.memory.buffer, input, rowBytes + rows.byteLength);
  if (above === undefined) memory.fill(0, 0, rowBytes);
  else memory.set(above);
  memory.set(rows, rowBytes);
  const length = module.png_encode(workspace, rowBytes, pixelBytes, EFFORTS[effort]);
  const blocks = new Uint8Array(module.memory.buffer, module.png_output(workspace), length);
  return { blocks, adler32: module.png_adler(workspace) >>> 0 };
}
