/** How sessions are made: per provider, and for a thread that does nothing but run them. */
import type { InferenceSession } from 'onnxruntime-node';
import type { LocalProvider } from './protocol.js';

/** Only errors reach stderr: providers warn about every node that they place elsewhere. */
const LOG_ERRORS = 3;

function executionProviders(provider: LocalProvider, deviceId: number): InferenceSession.ExecutionProviderConfig[] {
  switch (provider) {
    case 'cpu':
    case 'coreml':
      return [provider];
    case 'webgpu':
      return [{ name: 'webgpu' }];
    case 'cuda':
    case 'dml':
      return [{ name: provider, deviceId }];
    // What TensorRT cannot take falls to CUDA rather than to the CPU.
    case 'tensorrt':
      return [
        { name: 'tensorrt', deviceId },
        { name: 'cuda', deviceId },
      ];
  }
}

/**
 * The arena stays on: without it every run maps and faults its buffers anew, a fifth of its time. It grows to what the
 * largest tile needs and no further, since no picture is decoded above the tile bound; memory patterns, kept per shape,
 * would grow with every shape seen. Threads spin between the operators of a run, where sleeping and waking cost up to a
 * third of a small decode, and stop with the run: after it the cores belong to those that write PNGs.
 */
export function sessionOptions(
  provider: LocalProvider,
  deviceId: number,
  threads: number,
): InferenceSession.SessionOptions {
  return {
    executionProviders: executionProviders(provider, deviceId),
    intraOpNumThreads: threads,
    interOpNumThreads: 1,
    enableMemPattern: false,
    logSeverityLevel: LOG_ERRORS,
    extra: { session: { force_spinning_stop: '1' } },
  };
}
