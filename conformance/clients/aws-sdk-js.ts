/** The AWS SDK for JavaScript v3, with lib-storage's Upload and the request presigner. */
import { createReadStream, createWriteStream } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { Agent } from 'node:https';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import {
  ChecksumAlgorithm,
  CopyObjectCommand,
  CreateBucketCommand,
  DeleteBucketCommand,
  DeleteObjectCommand,
  DeleteObjectsCommand,
  GetObjectAttributesCommand,
  GetObjectCommand,
  HeadObjectCommand,
  ListBucketsCommand,
  paginateListObjectsV2,
  PutObjectCommand,
  S3Client,
  waitUntilBucketExists,
} from '@aws-sdk/client-s3';
import { Upload } from '@aws-sdk/lib-storage';
import { getSignedUrl } from '@aws-sdk/s3-request-presigner';
import type { Access, Client, ClientSession, ListedObject } from './client.js';

const PRESIGN_SECONDS = 300;
/** The largest number of keys of one DeleteObjects. */
const DELETE_BATCH = 1000;

interface AwsSdkJs extends ClientSession {
  readonly client: S3Client;
}

export const awsSdkJs: Client<AwsSdkJs> = {
  name: 'aws-sdk-js',
  title: 'AWS SDK for JavaScript v3',
  source: 'npm `@aws-sdk/client-s3`, `@aws-sdk/lib-storage`, `@aws-sdk/s3-request-presigner`',
  missing: async () => undefined,
  open: async (access) => session(await connect(access)),
  ownSteps: [
    {
      title: 'uploads with each checksum, which GET and GetObjectAttributes give back',
      run: async ({ client }, { bucket }) => {
        for (const algorithm of Object.values(ChecksumAlgorithm).filter((name) => KNOWN_CHECKSUMS.has(name)))
          await checksumRoundTrip(client, bucket, algorithm);
      },
    },
    {
      title: 'uploads a stream of unknown length in parts with a checksum over the whole',
      run: async ({ client }, { bucket }) => {
        const chunk = Buffer.alloc(1 << 20, 7);
        const upload = new Upload({
          client,
          params: {
            Bucket: bucket,
            Key: 'stream',
            Body: Readable.from(Array.from({ length: 12 }, () => chunk)),
            ChecksumAlgorithm: 'CRC64NVME',
          },
        });
        await upload.done();
        const { ContentLength } = await client.send(new HeadObjectCommand({ Bucket: bucket, Key: 'stream' }));
        if (ContentLength !== 12 << 20) throw new Error(`${String(ContentLength)} bytes are there`);
      },
    },
    {
      title: 'gets the headers that it asks for',
      run: async ({ client }, { bucket }) => {
        await client.send(new PutObjectCommand({ Bucket: bucket, Key: 'named', Body: 'x' }));
        const { ContentType, ContentDisposition } = await client.send(
          new GetObjectCommand({
            Bucket: bucket,
            Key: 'named',
            ResponseContentType: 'text/x-asked',
            ResponseContentDisposition: 'attachment; filename="asked"',
          }),
        );
        if (ContentType !== 'text/x-asked' || ContentDisposition !== 'attachment; filename="asked"')
          throw new Error(`got ${String(ContentType)}, ${String(ContentDisposition)}`);
      },
    },
  ],
};

async function connect(access: Access): Promise<S3Client> {
  const { endpoint, region, accessKeyId, secretAccessKey, certificateAuthority } = access;
  return new S3Client({
    endpoint,
    region,
    credentials: { accessKeyId, secretAccessKey },
    forcePathStyle: true,
    ...(certificateAuthority !== undefined && {
      requestHandler: { httpsAgent: new Agent({ ca: await readFile(certificateAuthority), keepAlive: true }) },
    }),
  });
}

function session(client: S3Client): AwsSdkJs {
  const list = async (bucket: string, prefix: string): Promise<ListedObject[]> => {
    const found: ListedObject[] = [];
    for await (const { Contents = [] } of paginateListObjectsV2({ client }, { Bucket: bucket, Prefix: prefix }))
      for (const { Key = '', Size = -1 } of Contents) found.push({ key: Key, size: Size });
    return found;
  };
  return {
    makeBucket: async (Bucket) => {
      await client.send(new CreateBucketCommand({ Bucket }));
      await waitUntilBucketExists({ client, maxWaitTime: 10 }, { Bucket });
    },
    removeBucket: (Bucket) => client.send(new DeleteBucketCommand({ Bucket })),
    buckets: async () => {
      const { Buckets = [] } = await client.send(new ListBucketsCommand());
      return Buckets.map(({ Name = '' }) => Name);
    },
    upload: async (file, Bucket, Key, { contentType, metadata } = {}) => {
      const params = {
        Bucket,
        Key,
        Body: createReadStream(file),
        ...(contentType !== undefined && { ContentType: contentType }),
        ...(metadata !== undefined && { Metadata: metadata }),
      };
      await new Upload({ client, params }).done();
    },
    download: async (Bucket, Key, file) => {
      const { Body } = await client.send(new GetObjectCommand({ Bucket, Key }));
      if (!(Body instanceof Readable)) throw new Error('no body');
      await pipeline(Body, createWriteStream(file));
    },
    list,
    copy: async (Bucket, from, Key) => {
      const CopySource = `${Bucket}/${encodeURIComponent(from)}`;
      await client.send(new CopyObjectCommand({ Bucket, Key, CopySource }));
    },
    remove: (Bucket, Key) => client.send(new DeleteObjectCommand({ Bucket, Key })),
    removeAll: async (Bucket, prefix) => {
      const objects = await list(Bucket, prefix);
      for (let start = 0; start < objects.length; start += DELETE_BATCH) {
        const Objects = objects.slice(start, start + DELETE_BATCH).map(({ key }) => ({ Key: key }));
        const { Errors = [] } = await client.send(new DeleteObjectsCommand({ Bucket, Delete: { Objects } }));
        if (Errors.length > 0) throw new Error(JSON.stringify(Errors));
      }
    },
    readRange: async (Bucket, Key, start, length) => {
      const Range = `bytes=${start}-${start + length - 1}`;
      const { Body } = await client.send(new GetObjectCommand({ Bucket, Key, Range }));
      return (await Body?.transformToByteArray()) ?? new Uint8Array();
    },
    contentTypeAndMetadata: async (Bucket, Key) => {
      const { ContentType = '', Metadata = {} } = await client.send(new HeadObjectCommand({ Bucket, Key }));
      return { contentType: ContentType, metadata: Metadata };
    },
    presignGet: (Bucket, Key) =>
      getSignedUrl(client, new GetObjectCommand({ Bucket, Key }), { expiresIn: PRESIGN_SECONDS }),
    presignPut: (Bucket, Key) =>
      getSignedUrl(client, new PutObjectCommand({ Bucket, Key }), { expiresIn: PRESIGN_SECONDS }),
    client,
    close: async () => client.destroy(),
  };
}

const KNOWN_CHECKSUMS = new Set<string>(['CRC32', 'CRC32C', 'CRC64NVME', 'SHA1', 'SHA256']);

async function checksumRoundTrip(client: S3Client, Bucket: string, algorithm: ChecksumAlgorithm): Promise<void> {
  const where = { Bucket, Key: `checksums/${algorithm}` };
  const put = await client.send(new PutObjectCommand({ ...where, Body: 'checked', ChecksumAlgorithm: algorithm }));
  const got = await client.send(new GetObjectCommand({ ...where, ChecksumMode: 'ENABLED' }));
  await got.Body?.transformToString();
  const attributes = await client.send(
    new GetObjectAttributesCommand({ ...where, ObjectAttributes: ['Checksum', 'ObjectSize'] }),
  );
  const field = `Checksum${algorithm}`;
  const values = [put, got, attributes.Checksum ?? {}].map((answer) => Reflect.get(answer, field) as unknown);
  if (values[0] === undefined || values.some((value) => value !== values[0]))
    throw new Error(`${field} is ${JSON.stringify(values)}`);
}
