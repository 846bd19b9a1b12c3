/** What a conversion thread and the gateway say to each other: the thread computes, the gateway runs its graphs. */
import type { GraphKind } from '../decode/graphs.js';
import type { GraphRun, RenderedPixels } from '../decode/index.js';
import type { HostTensor } from '../decode/inference/tensors.js';
import type { Conversion, ConversionOptions } from './conversion.js';

/** A use of the decode pipeline by the conversion `job`; answered under the same `call`. */
export type EngineCall = { readonly job: number; readonly call: number } & (
  | {
      readonly method: 'runGraph';
      readonly model: string;
      readonly graph: GraphKind;
      readonly inputs: readonly HostTensor[];
    }
  | { readonly method: 'renderPixels'; readonly model: string; readonly container: Uint8Array }
);

export type ToThread =
  | { readonly kind: 'convert'; readonly job: number; readonly png: Uint8Array; readonly options: ConversionOptions }
  | { readonly kind: 'answer'; readonly call: number; readonly value: GraphRun | RenderedPixels }
  | { readonly kind: 'refusal'; readonly call: number };

export type FromThread =
  | { readonly kind: 'call'; readonly request: EngineCall }
  | { readonly kind: 'converted'; readonly job: number; readonly conversion: Conversion }
  /** @property call the call whose refusal ended the conversion: its error is the gateway's own, and known there. */
  | { readonly kind: 'failed'; readonly job: number; readonly message: string; readonly call?: number };
