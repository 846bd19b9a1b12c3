/** The decode pipeline's public face. */
export { ByteSemaphore } from './byte-semaphore.js';
export type { Release } from './byte-semaphore.js';
export type { GraphKind } from './graphs.js';
export type { LocalProvider } from './inference/protocol.js';
export { LOCAL_PROVIDERS } from './inference/protocol.js';
export type { ElementType, HostTensor } from './inference/tensors.js';
export type { KserveOptions } from './kserve/kserve-options.js';
export type { DecodeObserver, DecodeOutcome, DeviceEvent, Stage, StageTimings } from './observer.js';
export type { DecodeOptions } from './options.js';
export type {
  DecodePipeline,
  DeviceStatus,
  GraphRun,
  PipelineLoad,
  RenderedImage,
  RenderedPixels,
  RenderRequest,
} from './pipeline-contract.js';
export { createDecodePipeline } from './pipeline.js';
export type { Placement, Refusal } from './placement.js';
export type { PngPicture, PngSize, SizedPng } from './sized-png.js';
export { effortOfProfile, fitPng, pngProfile, RENDER_SLACK, writeSizedPng } from './sized-png.js';
export { describePlacement, ORDER_OF_MERIT } from './placement.js';
