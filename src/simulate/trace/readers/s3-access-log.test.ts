import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { TraceError } from '../trace-error.js';
import { collectContent } from '../testing/collect.js';

const OWNER = '79a59df900b949e55d96a1e698fbacedfd6e09d98eacf8f8d5218e7cd47ef2be';

interface Entry {
  readonly time?: string;
  readonly operation?: string;
  readonly key?: string;
  readonly status?: number | string;
  readonly sent?: number | string;
  readonly size?: number | string;
}

/** A record as S3 writes it, the tail of newer fields included. */
function line(entry: Entry): string {
  const { time = '06/Feb/2026:00:00:38 +0000', operation = 'REST.GET.OBJECT', key = 'a.png' } = entry;
  const { status = 200, sent = 100, size = 100 } = entry;
  const tail = '70 10 "-" "S3Console/0.4" - host+id= SigV4 ECDHE-RSA-AES128-GCM-SHA256 AuthHeader s3 TLSv1.2 - -';
  return `${OWNER} images [${time}] 192.0.2.3 ${OWNER} 3E57427F3EXAMPLE ${operation} ${key} "GET /images/${key} HTTP/1.1" ${status} - ${sent} ${size} ${tail}`;
}

const read = (lines: readonly string[], sortWindow = 1000) =>
  collectContent(lines.join('\n'), { format: 's3', sortWindow });

describe('the reader of S3 server access logs', () => {
  it('takes GETs that were answered with bytes, and nothing else', async () => {
    const rows = await read([
      line({ key: 'a.png', size: 1000 }),
      line({ key: 'a.png', operation: 'REST.PUT.OBJECT', sent: '-' }),
      line({ key: 'b.png', status: 404, size: '-' }),
      line({ key: 'b.png', status: 304, sent: '-', size: 500 }),
      line({ key: '-', operation: 'REST.GET.BUCKET', size: '-' }),
      line({ key: 'b.png', status: 206, sent: 10, size: 500, time: '06/Feb/2026:00:01:38 +0000' }),
      line({ key: 'a.png', size: 1000, time: '06/Feb/2026:01:01:38 +0100' }),
    ]);
    expect(rows.map(({ time, object, imageBytes }) => ({ time, object, imageBytes }))).toEqual([
      { time: 0, object: 0, imageBytes: 1000 },
      { time: 60, object: 1, imageBytes: 500 },
      { time: 60, object: 0, imageBytes: 1000 },
    ]);
  });

  it('knows a size from an earlier record of the object', async () => {
    const rows = await read([line({ size: '-', sent: 77 }), line({ size: '-', sent: 5, status: 206 })]);
    expect(rows.map(({ imageBytes }) => imageBytes)).toEqual([77, 77]);
  });

  it('puts records in the order of time within the window, and refuses later ones', async () => {
    const at = (second: number): string => `06/Feb/2026:00:00:${String(second).padStart(2, '0')} +0000`;
    const lines = [3, 1, 2, 0, 5, 4].map((second) => line({ key: `k${second}`, time: at(second) }));
    expect((await read(lines)).map(({ time }) => time)).toEqual([0, 1, 2, 3, 4, 5]);
    await expect(read([...lines, line({ time: at(0) })], 1)).rejects.toThrow(/:\d: field "time": more than 1 records/);
  });

  it.each([
    ['Time', line({ time: '06/Foo/2026:00:00:38 +0000' }), 'expected a time such as'],
    ['Time', line({ time: '31/Feb/2026:00:00:38 +0000' }), 'expected a time such as'],
    ['HTTP status', line({ status: 'ok' }), 'expected an HTTP status'],
    ['Object Size', line({ size: '12k' }), 'expected a size'],
    ['Object Size', line({ size: 0 }), 'expected a size'],
    ['Key', line({ key: '-' }), 'that succeeded'],
    ['size', line({ key: 'c.png', size: '-', sent: '-' }), 'tells its size'],
    ['Bucket', OWNER, 'the line ends before it'],
    ['Request-URI', line({}).slice(0, 220), 'expected a value'],
  ])('names file, line and field %s of a fault', async (field, faulty, problem) => {
    const reading = read([line({}), faulty]);
    await expect(reading).rejects.toBeInstanceOf(TraceError);
    await expect(reading).rejects.toMatchObject({ line: 2, field });
    await expect(reading).rejects.toThrow(problem);
    await expect(reading).rejects.toThrow(/trace\.log:2: field/);
  });

  it('gives back what was written, whatever the keys and sizes', async () => {
    const key = fc.webPath({ size: 'small' }).map((path) => path.replaceAll(/["[\]]/g, '_').slice(1) || 'k');
    const entry = fc.record({
      key: key.filter((text) => text !== '-'),
      size: fc.integer({ min: 1, max: 2 ** 32 - 1 }),
      second: fc.integer({ min: 0, max: 59 }),
    });
    await fc.assert(
      fc.asyncProperty(fc.array(entry, { minLength: 1, maxLength: 30 }), async (entries) => {
        const lines = entries.map(({ second, ...rest }) =>
          line({ ...rest, time: `24/Nov/2026:10:00:${String(second).padStart(2, '0')} +0000` }),
        );
        const rows = await read(lines);
        const sorted = entries.toSorted((a, b) => a.second - b.second);
        const first = sorted[0]?.second ?? 0;
        expect(rows.map(({ time }) => time)).toEqual(sorted.map(({ second }) => second - first));
        const sizes = new Map<string, number>();
        for (const { key: name, size } of entries) if (!sizes.has(name)) sizes.set(name, size);
        expect(rows.map(({ imageBytes }) => imageBytes)).toEqual(sorted.map(({ key: name }) => sizes.get(name)));
        expect(new Set(rows.map(({ object }) => object)).size).toBe(sizes.size);
      }),
      { numRuns: 60 },
    );
  });

  it('either reads a damaged line or says what is wrong with it', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.integer({ min: 0, max: 400 }),
        fc.string({ maxLength: 4 }),
        fc.nat(3),
        async (at, text, cut) => {
          const whole = line({});
          const damaged = whole.slice(0, at) + text + whole.slice(at + cut);
          await read([damaged]).catch((error: unknown) => expect(error).toBeInstanceOf(TraceError));
        },
      ),
      { numRuns: 200 },
    );
  });
});
