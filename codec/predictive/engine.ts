/** The WebAssembly engine of the predictive codec: one instance a thread, its memory kept between calls up to a bound. */
import { CodecError } from '../errors.js';
import type { WasmInstantiate, WasmMemory } from '../wasm-module.js';
import { compileWasmModule, isWasmTrap } from '../wasm-module.js';

/** What `codec/native/predictive` exports; addresses and lengths are in bytes of its memory. */
interface PredictiveExports {
  readonly memory: WasmMemory;
  predictive_input(bytes: number): number;
  predictive_compress(dtype: number, channels: number, rows: number, columns: number): number;
  predictive_decompress(dtype: number, channels: number, rows: number, columns: number): number;
  predictive_output(): number;
  predictive_output_bytes(): number;
}

const OK = 0;
const UNSUITED = 2;

/** An instance whose memory grew beyond this is dropped after the call: WebAssembly memory never shrinks. */
const MAX_KEPT_MEMORY_BYTES = 64 << 20;

let compiled: WasmInstantiate | undefined;
let idle: PredictiveExports | undefined;

/** A call into the engine once its input is in place; gives its status. */
export type EngineCall = (engine: PredictiveExports) => number;

/**
 * Copies `input` in, calls, copies the result out. Loads the module on the thread's first call.
 *
 * @returns undefined where the engine says that the input is none for this codec
 * @throws CodecError naming the field that the engine refused
 */
export function callEngine(input: Uint8Array, call: EngineCall): Uint8Array | undefined {
  const engine = idle ?? instantiate();
  // Taken away while it works: after a trap its memory is in an unknown state, and it is never put back.
  idle = undefined;
  try {
    const address = engine.predictive_input(input.byteLength);
    new Uint8Array(engine.memory.buffer, address, input.byteLength).set(input);
    const status = call(engine);
    const output = new Uint8Array(engine.memory.buffer, engine.predictive_output(), engine.predictive_output_bytes());
    const result = output.slice();
    if (engine.memory.buffer.byteLength <= MAX_KEPT_MEMORY_BYTES) idle = engine;
    if (status === UNSUITED) return undefined;
    if (status !== OK) throw fault(Buffer.from(result).toString());
    return result;
  } catch (error) {
    if (isWasmTrap(error))
      throw new CodecError('predictive', 'data', 'takes more memory than there is', { cause: error });
    throw error;
  }
}

/** The engine's messages are `FIELD: PROBLEM`. */
function fault(message: string): CodecError {
  const colon = message.indexOf(': ');
  return new CodecError('predictive', message.slice(0, colon), message.slice(colon + 2));
}

function instantiate(): PredictiveExports {
  compiled ??= compileWasmModule(new URL('./predictive.wasm', import.meta.url));
  // The one place where the module's untyped exports get their types.
  return compiled() as PredictiveExports;
}
