/** What the rest of the gateway knows of a model: the shapes, the constants and where its prepared graphs lie. */

export type GraphPrecision = 'f32' | 'f16';

/** How a family's latents are scaled for diffusion: scaled = (z - mean) / std per channel, z the VAE's own space. */
export interface LatentStatistics {
  /** One value per latent channel. For a scalar `shift_factor`, that value repeated. */
  readonly mean: readonly number[];
  /** One value per latent channel. For a scalar `scaling_factor` s, 1/s repeated. */
  readonly std: readonly number[];
}

export interface PreparedGraph {
  /** Absolute path of the ONNX file (external data, if any, beside it). */
  readonly path: string;
  readonly precision: GraphPrecision;
  /** Where the exported graph only takes one spatial size of latent: that size. Absent: any. */
  readonly fixedLatentSize?: { readonly height: number; readonly width: number };
  /** Names of the session's inputs and outputs, read from the graph. */
  readonly inputs: readonly string[];
  readonly outputs: readonly string[];
}

/**
 * An installed, checked and prepared VAE.
 *
 * - `decoder`: one input, *scaled* latents `[B, C, h, w]` in the graph's precision; one output, `uint8`
 *   `[B, h·factor, w·factor, 3]`, sRGB, as round-half-even(clamp(x·0.5+0.5)·255).
 * - `encoder`: one input, `uint8` RGB `[B, H, W, 3]`; one output, *scaled* latent means `[B, C, H/factor, W/factor]`
 *   in float32.
 * - `decoderVjp`: inputs scaled latents `[B, C, h, w]` and the cotangent of the decoder's *unclamped* float output in
 *   [-1, 1] space, `[B, 3, H, W]`, float32; outputs that float output (float32) and the gradient with respect to the
 *   scaled latent in the graph's precision, in this order. Absent where the graph has an operator without a rule.
 * - `decoderFit`: one step of a search for a picture's latent. Inputs scaled latents `[B, C, h, w]` in the decoder's
 *   precision, the wanted picture as uint8 `[B, H, W, 3]`, float32 weights of its rows `[1, 1, H, 1]` and columns
 *   `[1, 1, 1, W]`; outputs the weighted sum of squared differences of the served 8-bit samples, and the gradient of the
 *   weighted squared error with respect to the latent. Present exactly where `decoderVjp` is.
 */
export interface InstalledModel {
  readonly name: string;
  /** Absolute path of the model's folder. */
  readonly directory: string;
  readonly latentChannels: number;
  /** Pixels per latent cell and axis (8 for most families). */
  readonly spatialFactor: number;
  readonly statistics: LatentStatistics;
  /** Lower-case hex SHA-256 of the weights, the configuration and the version of the graph preparation. */
  readonly fingerprint: string;
  readonly decoder: PreparedGraph;
  readonly encoder?: PreparedGraph;
  readonly decoderVjp?: PreparedGraph;
  readonly decoderFit?: PreparedGraph;
  /** Why there is no `decoderVjp`; present exactly where that is absent. */
  readonly decoderVjpReason?: string;
}
