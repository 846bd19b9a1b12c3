/** Where remote decoders are and how long to wait for them. */

export interface KserveOptions {
  /** Base URLs, `http://host:8000`; requests go to the one with the fewest outstanding. */
  readonly endpoints: readonly string[];
  /** Remote model per installed model: `{ "sd35": { name: "vae-sd35", version: "1" } }`. Models not named stay local. */
  readonly models: Readonly<Record<string, { readonly name: string; readonly version?: string }>>;
  /** Requests that one endpoint is given at once. Default 4. */
  readonly concurrency?: number;
  /** Time for one decode with all its tries. Default 30,000 ms. */
  readonly deadlineMs?: number;
  /** Time for one try. Default 10,000 ms. */
  readonly attemptTimeoutMs?: number;
  /** Pause between health checks. Default 2,000 ms. */
  readonly healthIntervalMs?: number;
}
