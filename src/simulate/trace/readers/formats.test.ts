import { gzipSync } from 'node:zlib';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { collect, collectContent } from '../testing/collect.js';
import { TraceError } from '../trace-error.js';
import { IdNumbers } from './id-numbers.js';
import { RECORD_BYTES } from './oracle-general.js';

describe('the reader of CloudFront logs', () => {
  const header =
    '#Version: 1.0\n#Fields: date time x-edge-location sc-bytes c-ip cs-method cs(Host) cs-uri-stem sc-status';
  const record = (values: Partial<Record<'time' | 'bytes' | 'method' | 'stem' | 'status', string>>): string => {
    const { time = '00:00:01', bytes = '900', method = 'GET', stem = '/a.png', status = '200' } = values;
    return ['2026-02-06', time, 'FRA2-C1', bytes, '192.0.2.4', method, 'd.cloudfront.net', stem, status].join('\t');
  };
  const read = (lines: readonly string[]) => collectContent([header, ...lines].join('\n'), { format: 'cloudfront' });

  it('takes GETs that were answered with bytes, and nothing else', async () => {
    const rows = await read([
      record({}),
      record({ method: 'HEAD' }),
      record({ status: '403' }),
      record({ status: '000', bytes: '0' }),
      record({ time: '00:00:05', stem: '/b.png', bytes: '1200' }),
      record({ time: '00:00:07', status: '206', bytes: '3' }),
    ]);
    expect(rows.map(({ time, object, imageBytes }) => [time, object, imageBytes])).toEqual([
      [0, 0, 900],
      [4, 1, 1200],
      [6, 0, 900],
    ]);
  });

  it.each([
    ['#Fields', `${record({})}\textra`, 'the record has 10 columns, the header names 9'],
    ['sc-bytes', record({ bytes: '-' }), 'expected a size'],
    ['date', record({ time: '25:99:00' }), 'expected seconds'],
    ['sc-status', record({ status: 'x' }), 'expected an HTTP status'],
    ['cs-uri-stem', record({ stem: 'a' }), 'expected a path'],
  ])('names line and field %s of a fault', async (field, faulty, problem) => {
    await expect(read([record({}), faulty])).rejects.toMatchObject({ line: 4, field });
    await expect(read([record({}), faulty])).rejects.toThrow(problem);
  });

  it('needs its header, with the columns that it reads', async () => {
    await expect(collectContent(record({}), { format: 'cloudfront' })).rejects.toThrow('expected a "#Fields:" line');
    await expect(collectContent('#Fields: date time', { format: 'cloudfront' })).rejects.toThrow('no column sc-bytes');
  });
});

describe('the reader of CSV', () => {
  it('goes by the header, wherever the columns are, and takes quoted keys', async () => {
    const rows = await collectContent(
      'size,key,latent_bytes,time\n100,"a,""1"".png",20,2026-11-24T00:00:00Z\n200,b,30,2026-11-24 00:00:01.5\n',
      { format: 'csv' },
    );
    expect(rows).toEqual([
      { time: 0, object: 0, imageBytes: 100, latentBytes: 20 },
      { time: 1.5, object: 1, imageBytes: 200, latentBytes: 30 },
    ]);
  });

  it("reads libCacheSim's plain columns, and its words for other places", async () => {
    const plain = await collectContent('10,7,100\n11,8,200\n', { format: 'csv' });
    const placed = await collectContent('x;size;id;time\n0;100;7;10\n0;200;8;11\n', {
      format: 'csv',
      csvColumns: 'time-col=4, obj-id-col=3, obj-size-col=2, delimiter=;, has-header=true',
    });
    expect(placed).toEqual(plain);
    expect(plain.map(({ time, object, imageBytes }) => [time, object, imageBytes])).toEqual([
      [0, 0, 100],
      [1, 1, 200],
    ]);
  });

  it('estimates a latent by the share that was given', async () => {
    const lines = Array.from({ length: 500 }, (_, i) => `${i},${i},1000000`).join('\n');
    const rows = await collectContent(lines, { format: 'csv', latentShare: 0.5 });
    const mean = rows.reduce((total, { latentBytes }) => total + latentBytes, 0) / rows.length;
    expect(mean / 500_000).toBeCloseTo(1, 1);
    expect(new Set(rows.map(({ latentBytes }) => latentBytes)).size).toBeGreaterThan(490);
  });

  it.each([
    ['time,key\n', 1, 'imageBytes', 'no column is called image_bytes'],
    ['time,key,size\n1,a\n', 2, 'imageBytes', 'column 3 is not there'],
    ['time,key,size\nsoon,a,5\n', 2, 'time', 'expected seconds'],
    ['time,key,size\n1,"a,5\n', 2, 'column 2', 'quote is not closed'],
    ['time,key,size\n1,"a"b,5\n', 2, 'column 2', 'text follows'],
    ['time,key,size\n1,a,99999999999\n', 2, 'imageBytes', 'expected a size'],
  ])('names line and field of a fault in %j', async (content, line, field, problem) => {
    await expect(collectContent(content, { format: 'csv' })).rejects.toMatchObject({ line, field });
    await expect(collectContent(content, { format: 'csv' })).rejects.toThrow(problem);
  });

  it('refuses columns that make no sense before it reads', async () => {
    for (const csvColumns of ['time-col=1', 'time-col=0,obj-id-col=1,obj-size-col=2', 'colour=1'])
      await expect(collectContent('', { format: 'csv', csvColumns })).rejects.toBeInstanceOf(RangeError);
  });

  it('gives back what was written', async () => {
    const key = fc.string({ minLength: 1, maxLength: 8 }).filter((text) => !/[\r\n]/.test(text) && text.trim() !== '');
    const row = fc.record({ time: fc.nat(1_000_000), key, size: fc.integer({ min: 1, max: 2 ** 32 - 1 }) });
    await fc.assert(
      fc.asyncProperty(fc.array(row, { minLength: 1, maxLength: 40 }), async (written) => {
        const sorted = written.toSorted((a, b) => a.time - b.time);
        const lines = sorted.map(({ time, key: name, size }) => `${time},"${name.replaceAll('"', '""')}",${size}`);
        const rows = await collectContent(`time,key,size\r\n${lines.join('\r\n')}\r\n`, { format: 'csv' });
        expect(rows.map(({ time }) => time)).toEqual(sorted.map(({ time }) => time - (sorted[0]?.time ?? 0)));
        const numbers = [...new Set(sorted.map(({ key: name }) => name.trim()))];
        expect(rows.map(({ object }) => object)).toEqual(sorted.map(({ key: name }) => numbers.indexOf(name.trim())));
      }),
      { numRuns: 60 },
    );
  });
});

describe('the reader of oracleGeneral', () => {
  const encode = (records: readonly { time: number; object: bigint; size: number }[]): Uint8Array => {
    const view = new DataView(new ArrayBuffer(records.length * RECORD_BYTES));
    for (const [i, { time, object, size }] of records.entries()) {
      view.setUint32(i * RECORD_BYTES, time, true);
      view.setBigUint64(i * RECORD_BYTES + 4, object, true);
      view.setUint32(i * RECORD_BYTES + 12, size, true);
      view.setBigInt64(i * RECORD_BYTES + 16, -2n, true);
    }
    return new Uint8Array(view.buffer);
  };

  it('gives back what was written, also where identifiers share a half', async () => {
    const object = fc.oneof(
      fc.bigInt({ min: 0n, max: 2n ** 64n - 1n }),
      fc.bigInt({ min: 0n, max: 3n }).map((n) => n << 32n),
    );
    const record = fc.record({ time: fc.nat(2 ** 31), object, size: fc.integer({ min: 1, max: 2 ** 32 - 1 }) });
    await fc.assert(
      fc.asyncProperty(fc.array(record, { minLength: 1, maxLength: 50 }), async (records) => {
        const sorted = records.toSorted((a, b) => a.time - b.time);
        const rows = await collectContent(encode(sorted), { format: 'oracleGeneral' });
        const ids = [...new Set(sorted.map(({ object: id }) => id))];
        expect(rows.map(({ object: number }) => ids[number])).toEqual(sorted.map(({ object: id }) => id));
        expect(rows.map(({ time }) => time)).toEqual(sorted.map(({ time }) => time - (sorted[0]?.time ?? 0)));
        expect(rows[0]?.imageBytes).toBe(sorted[0]?.size);
      }),
      { numRuns: 60 },
    );
  });

  it('names the record and the field of a fault', async () => {
    const records = [
      { time: 5, object: 1n, size: 10 },
      { time: 4, object: 1n, size: 10 },
    ];
    const read = (content: Uint8Array) => collectContent(content, { format: 'oracleGeneral' });
    await expect(read(encode(records))).rejects.toMatchObject({ line: 2, field: 'time' });
    await expect(read(encode([{ time: 1, object: 1n, size: 0 }]))).rejects.toMatchObject({ line: 1, field: 'size' });
    await expect(read(encode(records.slice(0, 1)).slice(0, 20))).rejects.toThrow('expected records of 24');
    await expect(read(encode(records.slice(0, 1).concat(records.slice(0, 1))).slice(0, 30))).rejects.toMatchObject({
      line: 2,
    });
    await expect(read(Uint8Array.of(0x28, 0xb5, 0x2f, 0xfd, 1, 2))).rejects.toThrow('zstd -d');
  });

  it('numbers any identifiers densely, however many', () => {
    const numbers = new IdNumbers();
    const wrong = (): number =>
      Array.from({ length: 100_000 }, (_, i) => numbers.number(Math.imul(i, 7919) >>> 0, i % 3)).filter(
        (number, i) => number !== i,
      ).length;
    expect([wrong(), wrong()]).toEqual([0, 0]);
    expect(numbers.size).toBe(100_000);
  });
});

describe('files of text logs', () => {
  it('reads a folder in the order of names, and packed files', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'latentbox-trace-'));
    try {
      await writeFile(join(folder, '2.csv'), 'time,key,size\n2,a,1\n');
      await writeFile(join(folder, '1.csv.gz'), gzipSync('time,key,size\n1,b,1\n1,a,1\n'));
      expect((await collect({ file: folder, format: 'csv' })).map(({ object }) => object)).toEqual([0, 1, 1]);
    } finally {
      await rm(folder, { recursive: true });
    }
  });

  it('says what is wrong with a file as a whole', async () => {
    await expect(collect({ file: '/nowhere/at/all', format: 's3' })).rejects.toBeInstanceOf(TraceError);
    await expect(collect({ file: '/nowhere/at/all', format: 'oracleGeneral' })).rejects.toBeInstanceOf(TraceError);
    await expect(collectContent(Uint8Array.of(0x31, 0xff, 0xfe), { format: 'csv' })).rejects.toThrow(
      'cannot be read as text',
    );
    await expect(collectContent('not packed', { format: 'csv' }, 'x.gz')).rejects.toThrow('cannot be read as text');
    await expect(collectContent('1'.repeat((1 << 20) + 1), { format: 'csv' })).rejects.toThrow(
      'over 1048576 characters',
    );
  });
});
