/** What the gateway itself saw of each request, read from its access log: the source of docs/s3-compatibility.md. */
import type { Readable } from 'node:stream';
import { createInterface } from 'node:readline';
import { setTimeout as delay } from 'node:timers/promises';
import { z } from 'zod';

const SETTLE_TIMEOUT_MS = 10_000;

const recordSchema = z.object({
  operation: z.string(),
  method: z.string(),
  bucket: z.string(),
  key: z.string(),
  status: z.number(),
  errorCode: z.string().optional(),
  credentialName: z.string().optional(),
  userAgent: z.string().optional(),
});

export type LoggedRequest = z.output<typeof recordSchema>;

export class AccessLog {
  readonly #records: LoggedRequest[] = [];
  #markers = 0;

  /** @param output the gateway's standard error, with `log.level` debug and `log.format` json */
  constructor(
    output: Readable,
    private readonly endpoint: string,
  ) {
    createInterface({ input: output }).on('line', (line) => {
      if (!line.startsWith('{')) return;
      const record = recordSchema.safeParse(JSON.parse(line));
      if (record.success) this.#records.push(record.data);
    });
  }

  /** Everything logged so far, once what has been answered by now is in the log. */
  async records(): Promise<readonly LoggedRequest[]> {
    // A request of our own marks the end: the log is in the order of the answers.
    const marker = `access-log-marker-${(this.#markers += 1)}`;
    await fetch(`${this.endpoint}/${marker}`, { method: 'HEAD' });
    const deadline = Date.now() + SETTLE_TIMEOUT_MS;
    while (!this.#records.some(({ bucket }) => bucket === marker)) {
      if (Date.now() > deadline) throw new Error('the gateway logs no requests');
      await delay(5);
    }
    return this.#records.filter(({ bucket }) => !bucket.startsWith('access-log-marker-'));
  }

  /** The requests that were answered while `action` ran. */
  async during(action: () => Promise<unknown>): Promise<readonly LoggedRequest[]> {
    const before = (await this.records()).length;
    await action();
    return (await this.records()).slice(before);
  }
}
