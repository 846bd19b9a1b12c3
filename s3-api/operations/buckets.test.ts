import {
  CreateBucketCommand,
  DeleteBucketCorsCommand,
  DeleteBucketTaggingCommand,
  GetBucketAclCommand,
  GetBucketCorsCommand,
  GetBucketLocationCommand,
  GetBucketTaggingCommand,
  GetObjectTaggingCommand,
  HeadBucketCommand,
  PutBucketCorsCommand,
  PutBucketTaggingCommand,
  PutObjectTaggingCommand,
  DeleteObjectTaggingCommand,
  DeleteBucketCommand,
  PutObjectCommand,
} from '@aws-sdk/client-s3';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { send, startTestServer, type TestServer } from '../testing/test-server.js';

const Bucket = 'settings';
let server: TestServer;
let base: string;

beforeAll(async () => {
  server = await startTestServer({ accountId: '111122223333' });
  base = `${server.url}/${Bucket}`;
  await server.store.createBucket(Bucket);
  await server.s3.send(new PutObjectCommand({ Bucket, Key: 'thing', Body: 'x' }));
});
afterAll(() => server.close());

describe('making and removing buckets', () => {
  it('creates, finds, locates and deletes one', async () => {
    const created = await server.s3.send(new CreateBucketCommand({ Bucket: 'fresh' }));
    expect(created.Location).toBe('/fresh');
    expect((await server.s3.send(new HeadBucketCommand({ Bucket: 'fresh' }))).BucketRegion).toBe('us-east-1');
    expect(
      (await server.s3.send(new GetBucketLocationCommand({ Bucket: 'fresh' }))).LocationConstraint,
    ).toBeUndefined();
    await server.s3.send(new DeleteBucketCommand({ Bucket: 'fresh' }));
    expect((await send(`${server.url}/fresh`, { method: 'HEAD' })).status).toBe(404);
  });

  it.each([
    'ab',
    'a'.repeat(64),
    'Upper',
    'under_score',
    '-lead',
    'trail-',
    'a..b',
    '192.168.1.1',
    'xn--a',
    'a-s3alias',
  ])('refuses the name %s', async (name) => {
    const answer = await send(`${server.url}/${name}`, { method: 'PUT' });
    expect([answer.status, answer.code]).toEqual([400, 'InvalidBucketName']);
  });

  const location = (region: string) =>
    `<CreateBucketConfiguration><LocationConstraint>${region}</LocationConstraint></CreateBucketConfiguration>`;
  it.each([
    ['a bucket that is there', Bucket, '', {}, 409, 'BucketAlreadyOwnedByYou'],
    ['another region', 'far-away', location('eu-west-1'), {}, 400, 'IllegalLocationConstraintException'],
    ['a region that is none', 'far-away', location('Mars'), {}, 400, 'InvalidLocationConstraint'],
    ['broken XML', 'far-away', '<CreateBucket', {}, 400, 'MalformedXML'],
    ['a public ACL', 'far-away', '', { 'x-amz-acl': 'public-read' }, 400, 'InvalidBucketAclWithObjectOwnership'],
    ['object lock', 'far-away', '', { 'x-amz-bucket-object-lock-enabled': 'true' }, 501, 'NotImplemented'],
  ])('refuses to create %s', async (_name, name, body, headers, status, code) => {
    const answer = await send(`${server.url}/${name}`, { method: 'PUT', body, headers });
    expect([answer.status, answer.code]).toEqual([status, code]);
  });

  it.each([
    ['that is not empty', Bucket, 409, 'BucketNotEmpty'],
    ['that is not there', 'absent', 404, 'NoSuchBucket'],
  ])('refuses to delete a bucket %s', async (_name, name, status, code) => {
    const answer = await send(`${server.url}/${name}`, { method: 'DELETE' });
    expect([answer.status, answer.code]).toEqual([status, code]);
  });
});

describe('settings of a bucket', () => {
  it.each([
    ['cors', 404, 'NoSuchCORSConfiguration'],
    ['tagging', 404, 'NoSuchTagSet'],
    ['policy', 404, 'NoSuchBucketPolicy'],
    ['policyStatus', 404, 'NoSuchBucketPolicy'],
    ['lifecycle', 404, 'NoSuchLifecycleConfiguration'],
    ['encryption', 404, 'ServerSideEncryptionConfigurationNotFoundError'],
    ['publicAccessBlock', 404, 'NoSuchPublicAccessBlockConfiguration'],
    ['website', 404, 'NoSuchWebsiteConfiguration'],
    ['replication', 404, 'ReplicationConfigurationNotFoundError'],
    ['object-lock', 404, 'ObjectLockConfigurationNotFoundError'],
    ['metrics&id=a', 404, 'NoSuchConfiguration'],
    ['nonsense', 501, 'NotImplemented'],
  ])('answers GET ?%s of a new bucket with an error', async (query, status, code) => {
    const answer = await send(`${base}?${query}`);
    expect([answer.status, answer.code]).toEqual([status, code]);
  });

  it.each([
    ['versioning', '<VersioningConfiguration xmlns='],
    ['requestPayment', '<Payer>BucketOwner</Payer>'],
    ['ownershipControls', '<ObjectOwnership>BucketOwnerEnforced</ObjectOwnership>'],
    ['logging', '<BucketLoggingStatus'],
    ['notification', '<NotificationConfiguration'],
    ['accelerate', '<AccelerateConfiguration'],
    ['location', '<LocationConstraint'],
    ['inventory', '<IsTruncated>false</IsTruncated>'],
    ['acl', '<Permission>FULL_CONTROL</Permission>'],
  ])('answers GET ?%s of a new bucket with its default', async (query, text) => {
    const answer = await send(`${base}?${query}`);
    expect(answer.status).toBe(200);
    expect(answer.text).toContain(text);
    expect((await send(`${server.url}/absent?${query}`)).code).toBe('NoSuchBucket');
  });

  it.each([
    ['PUT', 'versioning', '<VersioningConfiguration/>', 501, 'NotImplemented'],
    ['PUT', 'policy', '{}', 501, 'NotImplemented'],
    ['PUT', 'website', '<WebsiteConfiguration/>', 501, 'NotImplemented'],
    ['PUT', 'lifecycle', '', 400, 'MissingRequestBodyError'],
    ['PUT', 'lifecycle', '<Other/>', 400, 'MalformedXML'],
    ['PATCH', '', '', 405, 'MethodNotAllowed'],
  ])('refuses %s ?%s', async (method, query, body, status, code) => {
    const answer = await send(`${base}?${query}`, { method, body });
    expect([answer.status, answer.code]).toEqual([status, code]);
  });

  it('keeps and removes CORS rules', async () => {
    const CORSRules = [{ AllowedOrigins: ['https://*.example'], AllowedMethods: ['GET'], MaxAgeSeconds: 5 }];
    await server.s3.send(new PutBucketCorsCommand({ Bucket, CORSConfiguration: { CORSRules } }));
    expect((await server.s3.send(new GetBucketCorsCommand({ Bucket }))).CORSRules).toMatchObject(CORSRules);
    await server.s3.send(new DeleteBucketCorsCommand({ Bucket }));
    await expect(server.s3.send(new GetBucketCorsCommand({ Bucket }))).rejects.toMatchObject({
      name: 'NoSuchCORSConfiguration',
    });
  });

  it.each([
    ['no rule', '<CORSConfiguration/>', 'MalformedXML'],
    ['no origin', '<CORSRule><AllowedMethod>GET</AllowedMethod></CORSRule>', 'MalformedXML'],
    [
      'an unknown method',
      '<CORSRule><AllowedOrigin>*</AllowedOrigin><AllowedMethod>TRACE</AllowedMethod></CORSRule>',
      'InvalidRequest',
    ],
    [
      'two wildcards',
      '<CORSRule><AllowedOrigin>*.*</AllowedOrigin><AllowedMethod>GET</AllowedMethod></CORSRule>',
      'InvalidRequest',
    ],
  ])('refuses CORS with %s', async (_name, rule, code) => {
    const body = rule.startsWith('<CORSConf') ? rule : `<CORSConfiguration>${rule}</CORSConfiguration>`;
    const answer = await send(`${base}?cors`, { method: 'PUT', body });
    expect([answer.status, answer.code]).toEqual([400, code]);
  });

  it('keeps and removes tags of buckets and objects', async () => {
    const TagSet = [{ Key: 'kind', Value: 'a + b' }];
    await server.s3.send(new PutBucketTaggingCommand({ Bucket, Tagging: { TagSet } }));
    expect((await server.s3.send(new GetBucketTaggingCommand({ Bucket }))).TagSet).toEqual(TagSet);
    await server.s3.send(new DeleteBucketTaggingCommand({ Bucket }));
    expect((await send(`${base}?tagging`)).code).toBe('NoSuchTagSet');

    await server.s3.send(new PutObjectTaggingCommand({ Bucket, Key: 'thing', Tagging: { TagSet } }));
    expect((await server.s3.send(new GetObjectTaggingCommand({ Bucket, Key: 'thing' }))).TagSet).toEqual(TagSet);
    expect((await send(`${base}/thing`)).headers.get('x-amz-tagging-count')).toBe('1');
    await server.s3.send(new DeleteObjectTaggingCommand({ Bucket, Key: 'thing' }));
    expect((await server.s3.send(new GetObjectTaggingCommand({ Bucket, Key: 'thing' }))).TagSet).toEqual([]);
  });

  const tag = (key: string, value: string) => `<Tag><Key>${key}</Key><Value>${value}</Value></Tag>`;
  it.each([
    [
      'eleven tags',
      'abcdefghijk'
        .split('')
        .map((key) => tag(key, ''))
        .join(''),
      400,
      'BadRequest',
    ],
    ['a key twice', tag('a', '1') + tag('a', '2'), 400, 'InvalidTag'],
    ['a key too long', tag('a'.repeat(129), ''), 400, 'InvalidTag'],
    ['a reserved key', tag('aws:x', ''), 400, 'InvalidTag'],
    ['a character that is not allowed', tag('a{b}', ''), 400, 'InvalidTag'],
    ['a tag without a value', '<Tag><Key>a</Key></Tag>', 400, 'MalformedXML'],
  ])('refuses object tags with %s', async (_name, tags, status, code) => {
    const body = `<Tagging><TagSet>${tags}</TagSet></Tagging>`;
    const answer = await send(`${base}/thing?tagging`, { method: 'PUT', body });
    expect([answer.status, answer.code]).toEqual([status, code]);
  });

  it('says that the owner has everything, and takes only ACLs that change nothing', async () => {
    const acl = await server.s3.send(new GetBucketAclCommand({ Bucket }));
    expect(acl.Grants).toMatchObject([
      { Grantee: { Type: 'CanonicalUser', ID: acl.Owner?.ID }, Permission: 'FULL_CONTROL' },
    ]);
    const document = (await send(`${base}/thing?acl`)).text;
    const put = (headers: Record<string, string>, body?: string) =>
      send(`${base}/thing?acl`, { method: 'PUT', headers, ...(body !== undefined && { body }) });
    expect((await put({ 'x-amz-acl': 'bucket-owner-full-control' })).status).toBe(200);
    expect((await put({ 'x-amz-acl': 'private' })).status).toBe(200);
    expect((await put({}, document)).status).toBe(200);
    expect((await put({}, document.replace('FULL_CONTROL', 'READ'))).code).toBe('AccessControlListNotSupported');
    expect((await put({ 'x-amz-acl': 'public-read' })).code).toBe('AccessControlListNotSupported');
    expect((await put({})).code).toBe('MissingSecurityHeader');
    expect((await put({ 'x-amz-acl': 'private' }, document)).code).toBe('UnexpectedContent');
    expect((await put({}, '<AccessControlPolicy/>')).code).toBe('MalformedACLError');
    expect((await send(`${base}/absent?acl`)).code).toBe('NoSuchKey');
  });

  it('compares x-amz-expected-bucket-owner with the account', async () => {
    const ask = (owner: string) => send(`${base}/thing`, { headers: { 'x-amz-expected-bucket-owner': owner } });
    expect((await ask('111122223333')).status).toBe(200);
    expect((await ask('999999999999')).code).toBe('AccessDenied');
    expect((await ask('me')).code).toBe('AccessDenied');
  });

  it.each(['retention', 'legal-hold'])('answers GET ?%s of an object without a lock', async (query) => {
    const answer = await send(`${base}/thing?${query}`);
    expect([answer.status, answer.code]).toEqual([400, 'InvalidRequest']);
  });
});
