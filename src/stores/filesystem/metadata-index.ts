/**
 * The ordered metadata index: an LMDB environment whose keys sort as S3 lists them, by UTF-8 bytes. A transaction's
 * promise resolves when its pages are on the disk, and concurrent ones share that wait.
 */
import { open, type Database, type RootDatabase } from 'lmdb';
import type { ListPosition } from '../../../s3-api/list-page.js';
import type { BucketRecord, ObjectRecord, PartRecord, UnsettledRecord, UploadRecord } from './records.js';

const FORMAT = 1;
/** Records read at one go; between two goes the event loop is free and no read transaction is held. */
const SCAN_BATCH = 128;

/** `bucket NUL key`: bucket names hold no NUL, so a bucket's keys lie together, in order. */
export function objectKey(bucket: string, key: string): Buffer {
  return Buffer.from(`${bucket}\0${key}`);
}

export function uploadKey(bucket: string, key: string, uploadId: string): Buffer {
  return Buffer.from(`${bucket}\0${key}\0${uploadId}`);
}

export function partKey(uploadId: string, partNumber: number): Buffer {
  const bytes = Buffer.from(`${uploadId}\0\0\0`);
  bytes.writeUInt16BE(partNumber, bytes.length - 2);
  return bytes;
}

/** The least key that sorts after every key with this prefix. Ours never consist of 0xFF only. */
export function prefixEnd(prefix: Buffer): Buffer {
  let length = prefix.length;
  while (prefix[length - 1] === 0xff) length--;
  const end = Buffer.from(prefix.subarray(0, length));
  end.writeUInt8(end.readUInt8(length - 1) + 1, length - 1);
  return end;
}

export interface IndexedEntry<T> {
  readonly indexKey: Buffer;
  readonly value: T;
}

export class MetadataIndex {
  readonly objects: Database<ObjectRecord, Buffer>;
  readonly unsettled: Database<UnsettledRecord, Buffer>;
  readonly buckets: Database<BucketRecord, Buffer>;
  readonly uploads: Database<UploadRecord, Buffer>;
  readonly parts: Database<PartRecord, Buffer>;

  private constructor(private readonly root: RootDatabase<number, Buffer>) {
    const options = { encoding: 'json', keyEncoding: 'binary' } as const;
    this.objects = root.openDB('objects', options);
    this.unsettled = root.openDB('unsettled', options);
    this.buckets = root.openDB('buckets', options);
    this.uploads = root.openDB('uploads', options);
    this.parts = root.openDB('parts', options);
  }

  /** Opens or makes the index file. Throws where a later version of the store wrote it. */
  static async open(file: string): Promise<MetadataIndex> {
    const root = open<number, Buffer>({
      path: file,
      noSubdir: true,
      encoding: 'json',
      keyEncoding: 'binary',
      maxDbs: 8,
      overlappingSync: false,
    });
    const formatKey = Buffer.from('format');
    const format = root.get(formatKey);
    if (format === undefined) await root.put(formatKey, FORMAT);
    else if (format !== FORMAT)
      throw new Error(`${file} has format ${format}; this version of LatentBox reads format ${FORMAT}`);
    return new MetadataIndex(root);
  }

  /** Runs `action` alone among all writers; resolves when its writes are durable. It must check before it writes. */
  transaction<T>(action: () => T): Promise<T> {
    return this.root.transaction(action);
  }

  /** Makes the next read see everything committed until now. */
  refresh(): void {
    this.root.resetReadTxn();
  }

  bucket(name: string): BucketRecord | undefined {
    return this.buckets.get(Buffer.from(name));
  }

  object(bucket: string, key: string): ObjectRecord | undefined {
    return this.objects.get(objectKey(bucket, key));
  }

  /** Objects of a bucket with `prefix`, in order, from `position` on. */
  async *scanObjects(
    bucket: string,
    prefix: string,
    position: ListPosition | undefined,
  ): AsyncGenerator<{ readonly key: string; readonly record: ObjectRecord }> {
    const first = objectKey(bucket, prefix);
    const keyStart = Buffer.byteLength(bucket) + 1;
    const start = position === undefined ? first : startOf(bucket, position, first);
    for await (const { indexKey, value } of this.scan(this.objects, start, prefixEnd(first)))
      yield { key: indexKey.toString('utf8', keyStart), record: value };
  }

  /** Entries from `start` (inclusive) to `end` (exclusive). */
  async *scan<T>(database: Database<T, Buffer>, start: Buffer, end: Buffer): AsyncGenerator<IndexedEntry<T>> {
    let from = start;
    let size = 16;
    for (;;) {
      if (Buffer.compare(from, end) >= 0) return;
      const batch = [...database.getRange({ start: from, end, limit: size })];
      for (const { key, value } of batch) yield { indexKey: key, value };
      const last = batch.at(-1);
      if (last === undefined || batch.length < size) return;
      from = Buffer.concat([last.key, Buffer.of(0)]);
      size = SCAN_BATCH;
    }
  }

  /** Whether the bucket has no object. */
  isEmpty(bucket: string): boolean {
    const first = objectKey(bucket, '');
    return this.objects.getKeysCount({ start: first, end: prefixEnd(first), limit: 1 }) === 0;
  }

  close(): Promise<void> {
    return this.root.close();
  }
}

function startOf(bucket: string, position: ListPosition, first: Buffer): Buffer {
  const start =
    'after' in position
      ? Buffer.concat([objectKey(bucket, position.after), Buffer.of(0)])
      : prefixEnd(objectKey(bucket, position.afterPrefix));
  return Buffer.compare(start, first) < 0 ? first : start;
}
