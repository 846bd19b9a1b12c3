import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { ListOptions } from '../../../s3-api/object-store.js';
import { bytesOf, connected, md5, put } from '../testing/contract/context.js';
import { makeTemporaryDirectory } from '../testing/temporary-directory.js';
import { FilesystemStore } from './filesystem-store.js';

interface ModelObject {
  readonly bytes: string;
  readonly note: string;
}

const byBytes = (a: string, b: string) => Buffer.compare(Buffer.from(a), Buffer.from(b));

/** S3's listing, said in the plainest way: sort, roll up, drop what is not after the marker, cut. */
function modelListing(keys: readonly string[], { prefix = '', delimiter, startAfter = '', maxKeys }: ListOptions) {
  const entries = new Map<string, 'key' | 'prefix'>();
  for (const key of keys.filter((each) => each.startsWith(prefix))) {
    const end = delimiter === undefined ? -1 : key.indexOf(delimiter, prefix.length);
    if (end < 0 || delimiter === undefined) entries.set(key, 'key');
    else entries.set(key.slice(0, end + delimiter.length), 'prefix');
  }
  const after = [...entries.keys()].filter((entry) => byBytes(entry, startAfter) > 0).sort(byBytes);
  const page = after.slice(0, maxKeys);
  return {
    keys: page.filter((entry) => entries.get(entry) === 'key'),
    commonPrefixes: page.filter((entry) => entries.get(entry) === 'prefix'),
    isTruncated: maxKeys > 0 && after.length > maxKeys,
    nextStartAfter: maxKeys > 0 && after.length > maxKeys ? page.at(-1) : undefined,
  };
}

const segment = fc.constantFrom('a', 'b', 'ab', '', '.', '..', '%', 'ü', '😀', '\uffee', '-', '0', 'x'.repeat(260));
const key = fc
  .array(segment, { minLength: 1, maxLength: 4 })
  .map((segments) => segments.join('/'))
  .filter((text) => text.length > 0 && Buffer.byteLength(text) <= 1024);
const prefix = fc.oneof(
  fc.constant(''),
  key.map((text) => text.slice(0, 2)).filter((text) => !/[\ud800-\udbff]$/.test(text)),
);

const operation = fc.oneof(
  {
    weight: 6,
    arbitrary: fc.record({
      kind: fc.constant('put' as const),
      key,
      bytes: fc.string({ maxLength: 8 }),
      note: fc.constantFrom('1', '2', '3'),
    }),
  },
  { weight: 3, arbitrary: fc.record({ kind: fc.constant('delete' as const), key }) },
  {
    weight: 2,
    arbitrary: fc.record({
      kind: fc.constant('copy' as const),
      from: key,
      key,
      note: fc.option(fc.constantFrom('4', '5'), { nil: undefined }),
    }),
  },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('get' as const), key }) },
  {
    weight: 3,
    arbitrary: fc.record({
      kind: fc.constant('list' as const),
      prefix,
      delimiter: fc.constantFrom(undefined, '/', 'b', '//'),
      startAfter: fc.oneof(fc.constant(''), key),
      maxKeys: fc.constantFrom(0, 1, 2, 3, 1000),
    }),
  },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('restart' as const) }) },
);

describe('the filesystem store', () => {
  it('agrees with a map after any sequence of operations, listings and restarts included', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(operation, { minLength: 1, maxLength: 40 }), async (operations) => {
        const directory = await makeTemporaryDirectory();
        const store = new FilesystemStore(directory.path);
        await store.start();
        try {
          await store.createBucket('bucket');
          const model = new Map<string, ModelObject>();
          for (const each of operations) await apply(store, model, each);
          for (const one of model.keys()) await expectSame(store, model, one);
          const all = await store.listObjects('bucket', { maxKeys: 1000 });
          expect(all.objects.map((object) => object.key)).toEqual([...model.keys()].sort(byBytes));
        } finally {
          await store.close();
          await directory.remove();
        }
      }),
      { numRuns: 150 },
    );
  }, 120_000);
});

async function apply(
  store: FilesystemStore,
  model: Map<string, ModelObject>,
  step: typeof operation extends fc.Arbitrary<infer T> ? T : never,
): Promise<void> {
  switch (step.kind) {
    case 'put':
      await put(store, 'bucket', step.key, step.bytes, { userMetadata: { note: step.note } });
      model.set(step.key, { bytes: step.bytes, note: step.note });
      return;
    case 'delete':
      await store.deleteObject('bucket', step.key, {});
      model.delete(step.key);
      return;
    case 'copy':
      return copy(store, model, step.from, step.key, step.note);
    case 'get':
      return expectSame(store, model, step.key);
    case 'list': {
      const { prefix, delimiter, startAfter, maxKeys } = step;
      const options = { prefix, startAfter, maxKeys, ...(delimiter !== undefined && { delimiter }) };
      const { objects, commonPrefixes, isTruncated, nextStartAfter } = await store.listObjects('bucket', options);
      const keys = objects.map((object) => object.key);
      expect({ keys, commonPrefixes, isTruncated, nextStartAfter }).toEqual(modelListing([...model.keys()], options));
      for (const { key: listed, etag, size } of objects) {
        const bytes = model.get(listed)?.bytes ?? '';
        expect({ etag, size }).toEqual({ etag: md5(bytes), size: Buffer.byteLength(bytes) });
      }
      return;
    }
    case 'restart':
      await store.close();
      await store.start();
  }
}

async function copy(
  store: FilesystemStore,
  model: Map<string, ModelObject>,
  from: string,
  to: string,
  note: string | undefined,
): Promise<void> {
  const replaceMetadata = note === undefined ? {} : { replaceMetadata: { systemMetadata: {}, userMetadata: { note } } };
  const attempt = store.copyObject({ bucket: 'bucket', key: from }, 'bucket', to, replaceMetadata, connected);
  const source = model.get(from);
  if (from === to && note === undefined) await expect(attempt).rejects.toMatchObject({ code: 'InvalidRequest' });
  else if (source === undefined) await expect(attempt).rejects.toMatchObject({ code: 'NoSuchKey' });
  else {
    await attempt;
    model.set(to, { bytes: source.bytes, note: note ?? source.note });
  }
}

async function expectSame(store: FilesystemStore, model: Map<string, ModelObject>, one: string): Promise<void> {
  const expected = model.get(one);
  const attempt = store.getObject('bucket', one, {}, connected);
  if (expected === undefined) {
    await expect(attempt).rejects.toMatchObject({ code: 'NoSuchKey' });
    return;
  }
  const { info, body } = await attempt;
  expect((await bytesOf(body)).toString()).toBe(expected.bytes);
  expect(info).toMatchObject({ key: one, userMetadata: { note: expected.note }, etag: md5(expected.bytes) });
}
