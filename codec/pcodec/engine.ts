/** The WebAssembly pcodec engine of this thread: one instance, its memory kept between calls up to a bound. */
import { CodecError } from '../errors.js';
import type { WasmInstantiate, WasmMemory } from '../wasm-module.js';
import { compileWasmModule, isWasmTrap } from '../wasm-module.js';

/** What `codec/native/pcodec` exports; addresses and lengths are in bytes of its memory. */
interface PcodecExports {
  readonly memory: WasmMemory;
  pcodec_set_memory_limit(bytes: number): void;
  pcodec_input(bytes: number): number;
  pcodec_compress(
    bytes: number,
    numberType: number,
    level: number,
    mode: number,
    modeArgument: number,
    delta: number,
    deltaOrder: number,
    chunkNumbers: number,
  ): number;
  pcodec_compress_planes(
    bytes: number,
    numberType: number,
    level: number,
    mode: number,
    modeArgument: number,
    planeNumbers: number,
  ): number;
  pcodec_decompress(bytes: number, maxNumbers: number): number;
  pcodec_output(): number;
  pcodec_output_bytes(): number;
  pcodec_output_type(): number;
  pcodec_message(): number;
  pcodec_message_bytes(): number;
}

/** An instance whose memory grew beyond this is dropped after the call: WebAssembly memory never shrinks. */
const MAX_KEPT_MEMORY_BYTES = 64 << 20;

/** Input that leaves no room for output in a 32-bit memory. */
const MAX_INPUT_BYTES = 1 << 30;

let compiled: WasmInstantiate | undefined;
let idle: PcodecExports | undefined;

/** A call into the engine: everything after the bytes. */
export type EngineCall = (engine: PcodecExports, bytes: number) => number;

export interface EngineResult {
  /** A copy that the caller owns. */
  readonly output: Uint8Array;
  readonly numberType: number;
}

/**
 * Copies `input` in, calls, copies the result out. Loads the module on the thread's first call (about 3 ms).
 *
 * @param maxMemoryBytes what the engine may allocate in all, its kept buffers included
 * @throws CodecError when the engine refuses the input, or traps (damaged data, or more memory than allowed)
 */
export function callEngine(input: Uint8Array, maxMemoryBytes: number, call: EngineCall): EngineResult {
  if (input.byteLength > MAX_INPUT_BYTES) {
    throw new CodecError(
      'pcodec',
      'input',
      `${input.byteLength} bytes, more than the ${MAX_INPUT_BYTES} that fit in one call`,
    );
  }
  const engine = idle ?? instantiate();
  // Taken away while it works: after a trap its memory is in an unknown state, and it is never put back.
  idle = undefined;
  try {
    const result = run(engine, input, maxMemoryBytes, call);
    if (engine.memory.buffer.byteLength <= MAX_KEPT_MEMORY_BYTES) idle = engine;
    return result;
  } catch (error) {
    if (isWasmTrap(error)) {
      throw new CodecError('pcodec', 'data', 'damaged, or needs more memory than its length allows for', {
        cause: error,
      });
    }
    throw error;
  }
}

function run(engine: PcodecExports, input: Uint8Array, maxMemoryBytes: number, call: EngineCall): EngineResult {
  engine.pcodec_set_memory_limit(Math.min(maxMemoryBytes, 0xffff_ffff));
  const address = engine.pcodec_input(input.byteLength);
  new Uint8Array(engine.memory.buffer, address, input.byteLength).set(input);
  const status = call(engine, input.byteLength);
  if (status !== 0) {
    const message = new Uint8Array(engine.memory.buffer, engine.pcodec_message(), engine.pcodec_message_bytes());
    throw new CodecError('pcodec', 'data', Buffer.from(message).toString());
  }
  const result = new Uint8Array(engine.memory.buffer, engine.pcodec_output(), engine.pcodec_output_bytes());
  // Memory of its own (no pool) that is not zeroed before it is written.
  const output = new Uint8Array(Buffer.allocUnsafeSlow(result.byteLength).buffer);
  output.set(result);
  return { output, numberType: engine.pcodec_output_type() };
}

function instantiate(): PcodecExports {
  compiled ??= compileWasmModule(new URL('./pcodec.wasm', import.meta.url));
  // The one place where the module's untyped exports get their types.
  return compiled() as PcodecExports;
}
