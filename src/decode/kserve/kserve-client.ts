/** One endpoint of the KServe v2 protocol over HTTP. @see https://kserve.github.io/website/docs/concepts/architecture/data-plane/v2-protocol */
import { Pool } from 'undici';
import { z } from 'zod';
import { InferenceFailure, WorkerCrash } from '../errors.js';
import type { HostTensor } from '../inference/tensors.js';
import { decodeInferResponse, encodeInferRequest, HEADER_LENGTH_FIELD } from './binary-tensors.js';

/** What a remote model is called. */
export interface RemoteModel {
  readonly name: string;
  readonly version?: string;
}

const tensorMetadata = z.object({ name: z.string(), datatype: z.string(), shape: z.array(z.number()) });
const modelMetadata = z.object({
  platform: z.string().default(''),
  versions: z.array(z.string()).nullish(),
  inputs: z.array(tensorMetadata).nullish(),
  outputs: z.array(tensorMetadata).nullish(),
});
const serverMetadata = z.object({ name: z.string(), version: z.string() });

export type ModelMetadata = z.output<typeof modelMetadata>;

/** Characters of a refusal that an error quotes. */
const QUOTED_CHARACTERS = 300;

export class KserveClient {
  readonly url: string;
  readonly #pool: Pool;
  #outstanding = 0;

  constructor(url: string, connections: number) {
    this.url = url;
    this.#pool = new Pool(new URL(url).origin, { connections, pipelining: 1 });
  }

  /** Requests in flight. */
  get outstanding(): number {
    return this.#outstanding;
  }

  /** Whether the server says that it is ready, within the signal's time. */
  async ready(signal: AbortSignal): Promise<boolean> {
    try {
      const { statusCode, body } = await this.#pool.request({
        path: this.#path('/v2/health/ready'),
        method: 'GET',
        signal,
      });
      await body.dump();
      return statusCode === 200;
    } catch {
      return false;
    }
  }

  async serverMetadata(signal: AbortSignal): Promise<z.output<typeof serverMetadata>> {
    return serverMetadata.parse(await this.#json('/v2', signal));
  }

  async modelMetadata(model: RemoteModel, signal: AbortSignal): Promise<ModelMetadata> {
    return modelMetadata.parse(await this.#json(modelPath(model), signal));
  }

  /**
   * @throws InferenceFailure for what trying again cannot mend (4xx, an answer that breaks the protocol); WorkerCrash
   *   for what it may (connection lost, 5xx, 408, 429, time over)
   */
  async infer(
    model: RemoteModel,
    input: { name: string; tensor: HostTensor },
    outputName: string,
    signal: AbortSignal,
  ): Promise<HostTensor> {
    const { body, headerLength } = encodeInferRequest(input.name, input.tensor, outputName);
    this.#outstanding += 1;
    try {
      const response = await this.#pool.request({
        path: this.#path(`${modelPath(model)}/infer`),
        method: 'POST',
        headers: { 'content-type': 'application/octet-stream', [HEADER_LENGTH_FIELD]: String(headerLength) },
        body,
        signal,
      });
      const bytes = new Uint8Array(await response.body.arrayBuffer());
      if (response.statusCode !== 200) throw refusal(this.url, response.statusCode, bytes);
      const length = response.headers[HEADER_LENGTH_FIELD];
      return decodeInferResponse(bytes, typeof length === 'string' ? Number(length) : undefined, outputName);
    } catch (error) {
      if (error instanceof InferenceFailure || error instanceof WorkerCrash) throw error;
      throw new WorkerCrash(`${this.url}: ${error instanceof Error ? error.message : String(error)}`);
    } finally {
      this.#outstanding -= 1;
    }
  }

  async close(): Promise<void> {
    await this.#pool.destroy();
  }

  #path(path: string): string {
    return new URL(this.url).pathname.replace(/\/$/, '') + path;
  }

  async #json(path: string, signal: AbortSignal): Promise<unknown> {
    const { statusCode, body } = await this.#pool.request({ path: this.#path(path), method: 'GET', signal });
    const text = await body.text();
    if (statusCode !== 200)
      throw new InferenceFailure(`${this.url}${path} answers ${statusCode}: ${text.slice(0, QUOTED_CHARACTERS)}`);
    return JSON.parse(text);
  }
}

function modelPath({ name, version }: RemoteModel): string {
  const model = `/v2/models/${encodeURIComponent(name)}`;
  return version === undefined ? model : `${model}/versions/${encodeURIComponent(version)}`;
}

function refusal(url: string, status: number, body: Uint8Array): Error {
  const message = `${url} answers ${status}: ${Buffer.from(body).toString().slice(0, QUOTED_CHARACTERS)}`;
  const transient = status >= 500 || status === 408 || status === 429;
  return transient ? new WorkerCrash(message) : new InferenceFailure(message);
}
