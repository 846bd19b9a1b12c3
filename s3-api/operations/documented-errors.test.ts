/** The errors that the API reference names for each operation, as one table; an operation without a row fails the last test. */
import { CreateMultipartUploadCommand, PutObjectCommand, UploadPartCommand } from '@aws-sdk/client-s3';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ROUTES } from '../routes.js';
import { send, startTestServer, type TestServer } from '../testing/test-server.js';

interface Row {
  readonly what: string;
  readonly method: string;
  /** Below the server's URL; `{upload}` stands for an upload of `bucket/key` that has part 1. */
  readonly path: string;
  readonly headers?: Record<string, string>;
  readonly body?: string;
  readonly status: number;
  /** Absent: HEAD and 304 have no error document. */
  readonly code?: string;
}

type Asked = readonly [path: string, request?: { readonly headers?: Record<string, string>; readonly body?: string }];
const refuses =
  (method: string) =>
  (what: string, [path, request = {}]: Asked, status: number, code?: string): Row => ({
    what,
    method,
    path,
    ...request,
    status,
    ...(code !== undefined && { code }),
  });
const get = refuses('GET');
const head = refuses('HEAD');
const put = refuses('PUT');
const post = refuses('POST');
const remove = refuses('DELETE');

const NO_BUCKET = 'absent-bucket';
/** Sub-resources of a bucket: what reading one that is not set answers, and which root a written one has. */
const noBucket = (row: typeof get, query: string, request: Asked[1] = {}): Row =>
  row('of no bucket', [`${NO_BUCKET}?${query}`, request], 404, 'NoSuchBucket');
const copyFrom = (source: string, more: Record<string, string> = {}) => ({
  headers: { 'x-amz-copy-source': source, ...more },
});
const parts = (...numbers: readonly (number | string)[]) => ({
  body: `<CompleteMultipartUpload>${numbers
    .map((n) => `<Part><PartNumber>${n}</PartNumber><ETag>"0123456789abcdef0123456789abcdef"</ETag></Part>`)
    .join('')}</CompleteMultipartUpload>`,
});
const LONG_KEY = `bucket/${'k'.repeat(1025)}`;
const BROKEN = { body: '<broken' };
const OWNERSHIP = (rule: string) => ({ body: `<OwnershipControls><Rule>${rule}</Rule></OwnershipControls>` });

const TABLE: Readonly<Record<string, readonly Row[]>> = {
  ListBuckets: [get('a page size out of bounds', ['?max-buckets=0'], 400, 'InvalidArgument')],
  CreateBucket: [
    put('a name that is none', ['Bad_Name'], 400, 'InvalidBucketName'),
    put('a name that is taken', ['bucket'], 409, 'BucketAlreadyOwnedByYou'),
    put('a document that is none', ['fresh', BROKEN], 400, 'MalformedXML'),
    put(
      'a grant to others',
      ['fresh', { headers: { 'x-amz-acl': 'public-read' } }],
      400,
      'InvalidBucketAclWithObjectOwnership',
    ),
    put('an unknown ACL', ['fresh', { headers: { 'x-amz-acl': 'secret' } }], 400, 'InvalidArgument'),
    put('an unknown ownership', ['fresh', { headers: { 'x-amz-object-ownership': 'Nobody' } }], 400, 'InvalidArgument'),
    put('object lock', ['fresh', { headers: { 'x-amz-bucket-object-lock-enabled': 'true' } }], 501, 'NotImplemented'),
    put(
      'another region',
      [
        'fresh',
        {
          body: '<CreateBucketConfiguration><LocationConstraint>eu-west-1</LocationConstraint></CreateBucketConfiguration>',
        },
      ],
      400,
      'IllegalLocationConstraintException',
    ),
    put(
      'a region that is none',
      [
        'fresh',
        {
          body: '<CreateBucketConfiguration><LocationConstraint>moon</LocationConstraint></CreateBucketConfiguration>',
        },
      ],
      400,
      'InvalidLocationConstraint',
    ),
  ],
  DeleteBucket: [
    remove('no bucket', [NO_BUCKET], 404, 'NoSuchBucket'),
    remove('a bucket with objects', ['bucket'], 409, 'BucketNotEmpty'),
  ],
  HeadBucket: [head('no bucket', [NO_BUCKET], 404)],
  GetBucketLocation: [noBucket(get, 'location')],
  ListObjects: [
    noBucket(get, 'prefix=a'),
    get('a page size that is none', ['bucket?max-keys=many'], 400, 'InvalidArgument'),
    get('a negative page size', ['bucket?max-keys=-1'], 400, 'InvalidArgument'),
    get('an unknown encoding', ['bucket?encoding-type=base64'], 400, 'InvalidArgument'),
  ],
  ListObjectsV2: [
    noBucket(get, 'list-type=2'),
    get('a page size that is none', ['bucket?list-type=2&max-keys=x'], 400, 'InvalidArgument'),
    get('a token that is none', ['bucket?list-type=2&continuation-token='], 400, 'InvalidArgument'),
  ],
  ListObjectVersions: [
    noBucket(get, 'versions'),
    get('a version marker without a key', ['bucket?versions&version-id-marker=null'], 400, 'InvalidArgument'),
  ],
  ListMultipartUploads: [
    noBucket(get, 'uploads'),
    get('a negative page size', ['bucket?uploads&max-uploads=-1'], 400, 'InvalidArgument'),
  ],
  DeleteObjects: [
    post(
      'a document that is none',
      ['bucket?delete', { ...BROKEN, headers: { 'x-amz-checksum-crc32': '5cpqWA==' } }],
      400,
    ),
    post(
      'no digest',
      ['bucket?delete', { body: '<Delete><Object><Key>a</Key></Object></Delete>' }],
      400,
      'InvalidRequest',
    ),
  ],
  PostObject: [
    post(
      'a body that is no form',
      ['bucket', { body: 'x', headers: { 'content-type': 'text/plain' } }],
      412,
      'PreconditionFailed',
    ),
    post(
      'a form without a file',
      [
        'bucket',
        {
          body: '--b\r\nContent-Disposition: form-data; name="key"\r\n\r\nk\r\n--b--\r\n',
          headers: { 'content-type': 'multipart/form-data; boundary=b' },
        },
      ],
      400,
      'InvalidArgument',
    ),
  ],
  GetBucketCors: [noBucket(get, 'cors'), get('none set', ['bucket?cors'], 404, 'NoSuchCORSConfiguration')],
  PutBucketCors: [
    put('a document that is none', ['bucket?cors', BROKEN], 400, 'MalformedXML'),
    put('no document', ['bucket?cors'], 400, 'MissingRequestBodyError'),
    put('no rule', ['bucket?cors', { body: '<CORSConfiguration/>' }], 400, 'MalformedXML'),
    put(
      'a method that is none',
      [
        'bucket?cors',
        {
          body: '<CORSConfiguration><CORSRule><AllowedOrigin>*</AllowedOrigin><AllowedMethod>PATCH</AllowedMethod></CORSRule></CORSConfiguration>',
        },
      ],
      400,
      'InvalidRequest',
    ),
  ],
  DeleteBucketCors: [noBucket(remove, 'cors')],
  GetBucketTagging: [noBucket(get, 'tagging'), get('none set', ['bucket?tagging'], 404, 'NoSuchTagSet')],
  PutBucketTagging: [
    put('a document that is none', ['bucket?tagging', BROKEN], 400, 'MalformedXML'),
    put(
      'a tag twice',
      [
        'bucket?tagging',
        { body: `<Tagging><TagSet>${'<Tag><Key>a</Key><Value>1</Value></Tag>'.repeat(2)}</TagSet></Tagging>` },
      ],
      400,
      'InvalidTag',
    ),
  ],
  DeleteBucketTagging: [noBucket(remove, 'tagging')],
  GetBucketPolicy: [noBucket(get, 'policy'), get('none set', ['bucket?policy'], 404, 'NoSuchBucketPolicy')],
  PutBucketPolicy: [
    noBucket(put, 'policy', { body: '{}' }),
    put('any policy', ['bucket?policy', { body: '{}' }], 501, 'NotImplemented'),
  ],
  DeleteBucketPolicy: [noBucket(remove, 'policy')],
  GetBucketPolicyStatus: [
    noBucket(get, 'policyStatus'),
    get('none set', ['bucket?policyStatus'], 404, 'NoSuchBucketPolicy'),
  ],
  GetBucketAcl: [noBucket(get, 'acl')],
  PutBucketAcl: [
    noBucket(put, 'acl', { headers: { 'x-amz-acl': 'private' } }),
    put('no ACL', ['bucket?acl'], 400, 'MissingSecurityHeader'),
    put(
      'a grant to all',
      ['bucket?acl', { headers: { 'x-amz-acl': 'public-read' } }],
      400,
      'AccessControlListNotSupported',
    ),
    put('an unknown canned ACL', ['bucket?acl', { headers: { 'x-amz-acl': 'secret' } }], 400, 'InvalidArgument'),
    put(
      'an ACL twice',
      ['bucket?acl', { body: '<a/>', headers: { 'x-amz-acl': 'private' } }],
      400,
      'UnexpectedContent',
    ),
    put('a document that is none', ['bucket?acl', BROKEN], 400, 'MalformedACLError'),
    put(
      'an ACL of nobody',
      ['bucket?acl', { body: '<AccessControlPolicy><Owner/></AccessControlPolicy>' }],
      400,
      'MalformedACLError',
    ),
  ],
  GetBucketLifecycle: [
    noBucket(get, 'lifecycle'),
    get('none set', ['bucket?lifecycle'], 404, 'NoSuchLifecycleConfiguration'),
  ],
  PutBucketLifecycle: [put('a document that is none', ['bucket?lifecycle', BROKEN], 400, 'MalformedXML')],
  DeleteBucketLifecycle: [noBucket(remove, 'lifecycle')],
  GetBucketVersioning: [noBucket(get, 'versioning')],
  PutBucketVersioning: [put('a document that is none', ['bucket?versioning', BROKEN], 400, 'MalformedXML')],
  GetBucketEncryption: [
    noBucket(get, 'encryption'),
    get('none set', ['bucket?encryption'], 404, 'ServerSideEncryptionConfigurationNotFoundError'),
  ],
  PutBucketEncryption: [put('a document that is none', ['bucket?encryption', BROKEN], 400, 'MalformedXML')],
  DeleteBucketEncryption: [noBucket(remove, 'encryption')],
  GetBucketPublicAccessBlock: [
    get('none set', ['bucket?publicAccessBlock'], 404, 'NoSuchPublicAccessBlockConfiguration'),
  ],
  DeleteBucketPublicAccessBlock: [noBucket(remove, 'publicAccessBlock')],
  GetBucketOwnershipControls: [noBucket(get, 'ownershipControls')],
  PutBucketOwnershipControls: [
    noBucket(put, 'ownershipControls', OWNERSHIP('')),
    put(
      'an unknown ownership',
      ['bucket?ownershipControls', OWNERSHIP('<ObjectOwnership>Nobody</ObjectOwnership>')],
      400,
      'MalformedXML',
    ),
    put(
      'one with ACLs',
      ['bucket?ownershipControls', OWNERSHIP('<ObjectOwnership>ObjectWriter</ObjectOwnership>')],
      501,
      'NotImplemented',
    ),
  ],
  GetBucketRequestPayment: [noBucket(get, 'requestPayment')],
  GetBucketLogging: [noBucket(get, 'logging')],
  GetBucketNotification: [noBucket(get, 'notification')],
  GetBucketAccelerate: [noBucket(get, 'accelerate')],
  GetBucketWebsite: [get('none set', ['bucket?website'], 404, 'NoSuchWebsiteConfiguration')],
  DeleteBucketWebsite: [noBucket(remove, 'website')],
  GetBucketReplication: [get('none set', ['bucket?replication'], 404, 'ReplicationConfigurationNotFoundError')],
  DeleteBucketReplication: [noBucket(remove, 'replication')],
  GetBucketObjectLockConfiguration: [
    get('none set', ['bucket?object-lock'], 404, 'ObjectLockConfigurationNotFoundError'),
  ],
  GetBucketInventory: [get('none set', ['bucket?inventory&id=a'], 404, 'NoSuchConfiguration')],
  GetBucketMetrics: [get('none set', ['bucket?metrics&id=a'], 404, 'NoSuchConfiguration')],
  GetBucketAnalytics: [get('none set', ['bucket?analytics&id=a'], 404, 'NoSuchConfiguration')],
  GetBucketIntelligentTiering: [get('none set', ['bucket?intelligent-tiering&id=a'], 404, 'NoSuchConfiguration')],
  GetObject: [
    get('no bucket', [`${NO_BUCKET}/key`], 404, 'NoSuchBucket'),
    get('no key', ['bucket/absent'], 404, 'NoSuchKey'),
    get('a key that is too long', [LONG_KEY], 400, 'KeyTooLongError'),
    get('a range behind the end', ['bucket/key', { headers: { range: 'bytes=99-' } }], 416, 'InvalidRange'),
    get('an ETag that is another', ['bucket/key', { headers: { 'if-match': '"x"' } }], 412, 'PreconditionFailed'),
    get('what the client has', ['bucket/key', { headers: { 'if-none-match': '*' } }], 304),
    get('a part that is not there', ['bucket/key?partNumber=2'], 416, 'InvalidPartNumber'),
    get('a part number that is none', ['bucket/key?partNumber=0'], 400, 'InvalidArgument'),
    get('a version that is none', ['bucket/key?versionId=abc'], 400, 'InvalidArgument'),
  ],
  HeadObject: [
    head('no key', ['bucket/absent'], 404),
    head('a range behind the end', ['bucket/key', { headers: { range: 'bytes=99-' } }], 416),
    head('an ETag that is another', ['bucket/key', { headers: { 'if-match': '"x"' } }], 412),
    head('what the client has', ['bucket/key', { headers: { 'if-none-match': '*' } }], 304),
  ],
  PutObject: [
    put('no bucket', [`${NO_BUCKET}/key`, { body: 'x' }], 404, 'NoSuchBucket'),
    put('a key that is too long', [LONG_KEY, { body: 'x' }], 400, 'KeyTooLongError'),
    put('an MD5 that is none', ['bucket/new', { body: 'x', headers: { 'content-md5': 'x' } }], 400, 'InvalidDigest'),
    put(
      'another MD5',
      ['bucket/new', { body: 'x', headers: { 'content-md5': '1B2M2Y8AsgTpgAmY7PhCfg==' } }],
      400,
      'BadDigest',
    ),
    put(
      'another checksum',
      ['bucket/new', { body: 'x', headers: { 'x-amz-checksum-crc32': 'AAAAAA==' } }],
      400,
      'BadDigest',
    ),
    put(
      'a checksum that is none',
      ['bucket/new', { body: 'x', headers: { 'x-amz-checksum-crc32': 'x' } }],
      400,
      'InvalidRequest',
    ),
    put(
      'an unknown storage class',
      ['bucket/new', { body: 'x', headers: { 'x-amz-storage-class': 'ATTIC' } }],
      400,
      'InvalidStorageClass',
    ),
    put(
      'metadata that is too large',
      ['bucket/new', { body: 'x', headers: { 'x-amz-meta-a': 'x'.repeat(2049) } }],
      400,
      'MetadataTooLarge',
    ),
    put(
      'tags that are none',
      ['bucket/new', { body: 'x', headers: { 'x-amz-tagging': '=1' } }],
      400,
      'InvalidArgument',
    ),
    put(
      'a redirect to nowhere',
      ['bucket/new', { body: 'x', headers: { 'x-amz-website-redirect-location': 'there' } }],
      400,
      'InvalidRedirectLocation',
    ),
    put(
      'an object that is there',
      ['bucket/key', { body: 'x', headers: { 'if-none-match': '*' } }],
      412,
      'PreconditionFailed',
    ),
    put('no object to replace', ['bucket/new', { body: 'x', headers: { 'if-match': '"x"' } }], 404, 'NoSuchKey'),
    put(
      'two conditions',
      ['bucket/key', { body: 'x', headers: { 'if-none-match': '*', 'if-match': '"x"' } }],
      501,
      'NotImplemented',
    ),
    put(
      'a condition that writes have not',
      ['bucket/new', { body: 'x', headers: { 'if-none-match': '"x"' } }],
      501,
      'NotImplemented',
    ),
    put(
      'a grant to all',
      ['bucket/new', { body: 'x', headers: { 'x-amz-acl': 'public-read' } }],
      400,
      'AccessControlListNotSupported',
    ),
    put(
      'object lock',
      ['bucket/new', { body: 'x', headers: { 'x-amz-object-lock-mode': 'GOVERNANCE' } }],
      400,
      'InvalidRequest',
    ),
  ],
  CopyObject: [
    put('no source', ['bucket/new', copyFrom('bucket/absent')], 404, 'NoSuchKey'),
    put('no source bucket', ['bucket/new', copyFrom(`${NO_BUCKET}/key`)], 404, 'NoSuchBucket'),
    put('a source that is none', ['bucket/new', copyFrom('bucket')], 400, 'InvalidArgument'),
    put('a source that is wrongly escaped', ['bucket/new', copyFrom('bucket/%ZZ')], 400, 'InvalidArgument'),
    put('nothing to change', ['bucket/key', copyFrom('bucket/key')], 400, 'InvalidRequest'),
    put(
      'an unknown directive',
      ['bucket/new', copyFrom('bucket/key', { 'x-amz-metadata-directive': 'MIX' })],
      400,
      'InvalidArgument',
    ),
    put(
      'a source that is another',
      ['bucket/new', copyFrom('bucket/key', { 'x-amz-copy-source-if-match': '"x"' })],
      412,
      'PreconditionFailed',
    ),
    put(
      'an unknown algorithm',
      ['bucket/new', copyFrom('bucket/key', { 'x-amz-checksum-algorithm': 'SUM' })],
      400,
      'InvalidRequest',
    ),
  ],
  DeleteObject: [
    remove('no bucket', [`${NO_BUCKET}/key`], 404, 'NoSuchBucket'),
    remove('an ETag that is another', ['bucket/key', { headers: { 'if-match': '"x"' } }], 412, 'PreconditionFailed'),
    remove(
      'a size that is another',
      ['bucket/key', { headers: { 'x-amz-if-match-size': '99' } }],
      412,
      'PreconditionFailed',
    ),
    remove(
      'a time that is another',
      ['bucket/key', { headers: { 'x-amz-if-match-last-modified-time': 'Thu, 01 Jan 1970 00:00:00 GMT' } }],
      412,
      'PreconditionFailed',
    ),
    remove(
      'a size that is none',
      ['bucket/key', { headers: { 'x-amz-if-match-size': 'big' } }],
      400,
      'InvalidArgument',
    ),
    remove('no object of that size', ['bucket/absent', { headers: { 'x-amz-if-match-size': '1' } }], 404, 'NoSuchKey'),
  ],
  GetObjectAttributes: [
    get('no attributes', ['bucket/key?attributes'], 400, 'InvalidArgument'),
    get(
      'an unknown attribute',
      ['bucket/key?attributes', { headers: { 'x-amz-object-attributes': 'Colour' } }],
      400,
      'InvalidArgument',
    ),
    get('no key', ['bucket/absent?attributes', { headers: { 'x-amz-object-attributes': 'ETag' } }], 404, 'NoSuchKey'),
  ],
  GetObjectTagging: [get('no key', ['bucket/absent?tagging'], 404, 'NoSuchKey')],
  PutObjectTagging: [
    put('no key', ['bucket/absent?tagging', { body: '<Tagging><TagSet/></Tagging>' }], 404, 'NoSuchKey'),
    put('a document that is none', ['bucket/key?tagging', BROKEN], 400, 'MalformedXML'),
    put(
      'eleven tags',
      [
        'bucket/key?tagging',
        {
          body: `<Tagging><TagSet>${Array.from({ length: 11 }, (_, i) => `<Tag><Key>${i}</Key><Value/></Tag>`).join('')}</TagSet></Tagging>`,
        },
      ],
      400,
      'BadRequest',
    ),
  ],
  DeleteObjectTagging: [remove('no key', ['bucket/absent?tagging'], 404, 'NoSuchKey')],
  GetObjectAcl: [get('no key', ['bucket/absent?acl'], 404, 'NoSuchKey')],
  PutObjectAcl: [
    put('no key', ['bucket/absent?acl', { headers: { 'x-amz-acl': 'private' } }], 404, 'NoSuchKey'),
    put(
      'a grant to all',
      ['bucket/key?acl', { headers: { 'x-amz-acl': 'public-read' } }],
      400,
      'AccessControlListNotSupported',
    ),
  ],
  GetObjectRetention: [get('no object lock', ['bucket/key?retention'], 400, 'InvalidRequest')],
  PutObjectRetention: [put('no object lock', ['bucket/key?retention'], 400, 'InvalidRequest')],
  GetObjectLegalHold: [get('no object lock', ['bucket/key?legal-hold'], 400, 'InvalidRequest')],
  PutObjectLegalHold: [put('no object lock', ['bucket/key?legal-hold'], 400, 'InvalidRequest')],
  CreateMultipartUpload: [
    post('no bucket', [`${NO_BUCKET}/key?uploads`], 404, 'NoSuchBucket'),
    post(
      'an unknown algorithm',
      ['bucket/key?uploads', { headers: { 'x-amz-checksum-algorithm': 'SUM' } }],
      400,
      'InvalidRequest',
    ),
    post(
      'a type that the algorithm has not',
      [
        'bucket/key?uploads',
        { headers: { 'x-amz-checksum-algorithm': 'SHA256', 'x-amz-checksum-type': 'FULL_OBJECT' } },
      ],
      400,
      'InvalidRequest',
    ),
  ],
  UploadPart: [
    put('no upload', ['bucket/key?uploadId=none&partNumber=1', { body: 'x' }], 404, 'NoSuchUpload'),
    put('part 0', ['bucket/key?uploadId={upload}&partNumber=0', { body: 'x' }], 400, 'InvalidArgument'),
    put('part 10,001', ['bucket/key?uploadId={upload}&partNumber=10001', { body: 'x' }], 400, 'InvalidArgument'),
    put(
      'another checksum',
      ['bucket/key?uploadId={upload}&partNumber=2', { body: 'x', headers: { 'x-amz-checksum-crc32': 'AAAAAA==' } }],
      400,
      'BadDigest',
    ),
  ],
  UploadPartCopy: [
    put('no upload', ['bucket/key?uploadId=none&partNumber=1', copyFrom('bucket/key')], 404, 'NoSuchUpload'),
    put('no source', ['bucket/key?uploadId={upload}&partNumber=2', copyFrom('bucket/absent')], 404, 'NoSuchKey'),
    put(
      'a range that is none',
      ['bucket/key?uploadId={upload}&partNumber=2', copyFrom('bucket/key', { 'x-amz-copy-source-range': '0-1' })],
      400,
      'InvalidArgument',
    ),
    put(
      'a range behind the end',
      [
        'bucket/key?uploadId={upload}&partNumber=2',
        copyFrom('bucket/key', { 'x-amz-copy-source-range': 'bytes=0-99' }),
      ],
      400,
      'InvalidArgument',
    ),
  ],
  CompleteMultipartUpload: [
    post('no upload', ['bucket/key?uploadId=none', parts(1)], 404, 'NoSuchUpload'),
    post('a document that is none', ['bucket/key?uploadId={upload}', BROKEN], 400, 'MalformedXML'),
    post('no parts', ['bucket/key?uploadId={upload}', parts()], 400, 'MalformedXML'),
    post('a part that is another', ['bucket/key?uploadId={upload}', parts(1)], 400, 'InvalidPart'),
    post('parts out of order', ['bucket/key?uploadId={upload}', parts(2, 1)], 400, 'InvalidPartOrder'),
    post('a part number that is none', ['bucket/key?uploadId={upload}', parts(0)], 400, 'InvalidArgument'),
    post(
      'a size that is none',
      ['bucket/key?uploadId={upload}', { ...parts(1), headers: { 'x-amz-mp-object-size': '-1' } }],
      400,
      'InvalidRequest',
    ),
  ],
  AbortMultipartUpload: [remove('no upload', ['bucket/key?uploadId=none'], 404, 'NoSuchUpload')],
  ListParts: [
    get('no upload', ['bucket/key?uploadId=none'], 404, 'NoSuchUpload'),
    get('a negative page size', ['bucket/key?uploadId={upload}&max-parts=-1'], 400, 'InvalidArgument'),
    get('a marker that is none', ['bucket/key?uploadId={upload}&part-number-marker=x'], 400, 'InvalidArgument'),
  ],
};

let server: TestServer;
let upload: string;
beforeAll(async () => {
  server = await startTestServer();
  await server.store.createBucket('bucket');
  await server.s3.send(new PutObjectCommand({ Bucket: 'bucket', Key: 'key', Body: 'content' }));
  const target = { Bucket: 'bucket', Key: 'key' };
  const { UploadId = '' } = await server.s3.send(new CreateMultipartUploadCommand(target));
  await server.s3.send(new UploadPartCommand({ ...target, UploadId, PartNumber: 1, Body: 'part' }));
  upload = UploadId;
});
afterAll(() => server.close());

describe.each(Object.entries(TABLE))('%s refuses', (operation, rows) => {
  it.each(rows)('$what: $status $code', async ({ method, path, headers, body, status, code }) => {
    const answer = await send(`${server.url}/${path.replace('{upload}', upload)}`, {
      method,
      ...(headers && { headers }),
      ...(body !== undefined && { body }),
    });
    expect([answer.status, answer.code]).toEqual([status, code ?? answer.code]);
    expect(server.records.at(-1)?.operation).toMatch(new RegExp(`^(${operation}|Unknown)$`));
  });
});

it('every operation has a row', () => {
  const names = new Set(ROUTES.map(({ name }) => name));
  expect([...names].filter((name) => !Object.hasOwn(TABLE, name))).toEqual([]);
});
