import { PutObjectCommand } from '@aws-sdk/client-s3';
import { once } from 'node:events';
import { Agent, request as httpRequest } from 'node:http';
import { connect, type Socket } from 'node:net';
import { Readable } from 'node:stream';
import { setTimeout as delay } from 'node:timers/promises';
import { afterEach, describe, expect, it } from 'vitest';
import type { ObjectContent, ReadOptions } from '../object-store.js';
import { MemoryStore } from '../testing/memory-store.js';
import { rawExchange, send, startTestServer, type TestServer } from '../testing/test-server.js';

const bucket = 'wire';
const servers: TestServer[] = [];
afterEach(async () => {
  await Promise.all(servers.splice(0).map((server) => server.close()));
});

async function start(...args: Parameters<typeof startTestServer>): Promise<TestServer> {
  const server = await startTestServer(...args);
  servers.push(server);
  await server.store.createBucket(bucket);
  return server;
}

const head = (method: string, path: string, ...headers: string[]) =>
  `${[`${method} ${path} HTTP/1.1`, 'host: localhost', ...headers].join('\r\n')}\r\n\r\n`;
const CLOSE = 'connection: close';

/** A socket whose received text can be waited for. */
function openSocket(port: number): { socket: Socket; until: (text: string) => Promise<string> } {
  const socket = connect(port, '127.0.0.1');
  let received = '';
  socket.on('error', () => undefined);
  socket.on('data', (chunk: Buffer) => {
    received += chunk.toString('latin1');
  });
  return {
    socket,
    async until(text) {
      while (!received.includes(text)) {
        if (socket.destroyed) throw new Error(`closed before ${text}: ${received}`);
        await delay(5);
      }
      return received;
    },
  };
}

describe('100 Continue', () => {
  const expecting = ['content-length: 5', 'expect: 100-continue'];

  it('is sent only once the request was looked at, and then the body is taken', async () => {
    const { port, store } = await start();
    const { socket, until } = openSocket(port);
    socket.write(head('PUT', `/${bucket}/k`, ...expecting, CLOSE));
    expect(await until('\r\n\r\n')).toMatch(/^HTTP\/1\.1 100 Continue\r\n\r\n$/);
    socket.write('hello');
    expect(await until('etag')).toContain('HTTP/1.1 200 OK');
    expect((await store.headObject(bucket, 'k', {})).info.size).toBe(5);
  });

  it.each([
    ['a caller who may not', [], 'AccessDenied'],
    ['a header that is wrong', ['x-amz-storage-class: FLOPPY'], 'InvalidStorageClass'],
    ['a digest that is none', ['content-md5: x'], 'InvalidDigest'],
  ])('is not sent for %s: the error comes instead, and the connection closes', async (_name, headers, code) => {
    const rules = code === 'AccessDenied' ? [] : [{ actions: ['*'], resources: ['*'] }];
    const { port } = await start({}, rules);
    const answer = await rawExchange(port, head('PUT', `/${bucket}/k`, ...expecting, ...headers));
    expect(answer).not.toContain('100 Continue');
    expect(answer).toContain(`<Code>${code}</Code>`);
    expect(answer.toLowerCase()).toContain(CLOSE);
  });
});

describe('connections', () => {
  it('serve further requests after errors, with and without bodies', async () => {
    const { port } = await start();
    const answer = await rawExchange(
      port,
      head('GET', `/${bucket}/absent`),
      head('PUT', '/absent-bucket/k', 'content-length: 4') + 'body',
      head('PUT', `/${bucket}/k`, 'content-length: 4', 'x-amz-storage-class: FLOPPY') + 'body',
      head('POST', `/${bucket}?delete`, 'content-length: 4') + 'body',
      head('HEAD', `/${bucket}/absent`),
      head('GET', `/${bucket}?max-keys=0`, CLOSE),
    );
    expect([...answer.matchAll(/HTTP\/1\.1 (\d+)/g)].map(([, status]) => status)).toEqual([
      '404',
      '404',
      '400',
      '400',
      '404',
      '200',
    ]);
  });

  it('let a client that sends a large body read the error first', async () => {
    const { port } = await start();
    const size = 4 * 1024 * 1024;
    const answer = await rawExchange(
      port,
      head('PUT', `/${bucket}/k`, `content-length: ${size}`, 'x-amz-acl: public-read'),
      Buffer.alloc(size),
    );
    expect(answer).toContain('<Code>AccessControlListNotSupported</Code>');
    expect(answer.toLowerCase()).toContain(CLOSE);
  });

  it('that break in the middle of an upload store nothing', async () => {
    const { port, store, records } = await start();
    const { socket } = openSocket(port);
    socket.write(head('PUT', `/${bucket}/cut`, 'content-length: 100') + 'only this');
    await delay(50);
    socket.destroy();
    await expect.poll(() => records.length).toBe(1);
    expect(records[0]).toMatchObject({ operation: 'PutObject', status: 499, errorCode: 'IncompleteBody' });
    await expect(store.headObject(bucket, 'cut', {})).rejects.toMatchObject({ code: 'NoSuchKey' });
  });

  it('take an absolute-form target and a raw path as it is', async () => {
    const { port, store } = await start();
    await rawExchange(port, head('PUT', `http://localhost/${bucket}//a/../b%2Fc`, 'content-length: 1', CLOSE) + 'x');
    expect((await store.listObjects(bucket, { maxKeys: 10 })).objects.map(({ key }) => key)).toEqual(['/a/../b/c']);
  });

  it.each([
    ['headers that are too large', head('GET', '/', `x-a: ${'a'.repeat(20_000)}`), 'RequestHeaderSectionTooLarge'],
    ['what is not HTTP', 'HELO\r\n\r\n', 'BadRequest'],
    ['a host that is none', 'GET / HTTP/1.1\r\nhost: a b\r\n\r\n', 'InvalidURI'],
  ])('answer %s with an S3 error', async (_name, bytes, code) => {
    const { port } = await start();
    const answer = await rawExchange(port, bytes);
    expect(answer).toContain('HTTP/1.1 400');
    expect(answer).toContain(`<Code>${code}</Code>`);
  });
});

describe('answers', () => {
  it('carry request ids, date and server, and HEAD its length', async () => {
    const { s3, url, records } = await start();
    await s3.send(new PutObjectCommand({ Bucket: bucket, Key: 'k', Body: 'abc' }));
    const answer = await send(`${url}/${bucket}/k`, { method: 'HEAD' });
    expect(answer.headers.get('x-amz-request-id')).toMatch(/^[0-9A-F]{16}$/);
    expect(answer.headers.get('x-amz-id-2')).not.toBeNull();
    expect(answer.headers.get('date')).not.toBeNull();
    expect(answer.headers.get('server')).toBe('LatentBox');
    expect(answer.headers.get('content-length')).toBe('3');
    const missing = await send(`${url}/${bucket}/absent`);
    expect(missing.text).toContain(`<RequestId>${missing.headers.get('x-amz-request-id') ?? '?'}</RequestId>`);
    await expect.poll(() => records.length).toBe(3);
    expect(records.map(({ operation, status, credentialName }) => [operation, status, credentialName])).toEqual([
      ['PutObject', 200, 'tester'],
      ['HeadObject', 200, 'anonymous'],
      ['GetObject', 404, 'anonymous'],
    ]);
  });

  it('hide what went wrong inside, and tell the log', async () => {
    class BrokenStore extends MemoryStore {
      override async headBucket(): Promise<void> {
        throw new Error('disk on fire');
      }
    }
    const { url, records } = await start({ store: new BrokenStore() });
    const answer = await send(`${url}/${bucket}?location`);
    expect([answer.status, answer.code]).toEqual([500, 'InternalError']);
    expect(answer.text).not.toContain('fire');
    await expect.poll(() => records[0]?.cause).toMatchObject({ message: 'disk on fire' });
  });

  it('address buckets by host name where a domain is configured', async () => {
    const { port, s3 } = await start();
    await s3.send(new PutObjectCommand({ Bucket: bucket, Key: 'a/b', Body: 'hosted' }));
    const get = (host: string, path: string) =>
      rawExchange(port, `GET ${path} HTTP/1.1\r\nhost: ${host}\r\nconnection: close\r\n\r\n`);
    expect(await get(`${bucket}.s3.test:9000`, '/a/b')).toContain('hosted');
    expect(await get(`${bucket.toUpperCase()}.S3.TEST`, '/a/b')).toContain('hosted');
    expect(await get(`${bucket}.s3.test`, '/?max-keys=0')).toContain(`<Name>${bucket}</Name>`);
    expect(await get('s3.test', `/${bucket}/a/b`)).toContain('hosted');
    expect(await get('other.example', `/${bucket}/a/b`)).toContain('hosted');
  });
});

/** Answers GET with a stream that the test feeds, and remembers how it ended. */
class StreamingStore extends MemoryStore {
  readonly stream = new Readable({ read: () => undefined });
  signal: AbortSignal | undefined;
  gate: Promise<void> = Promise.resolve();

  override async getObject(
    bucket: string,
    key: string,
    options: ReadOptions,
    signal?: AbortSignal,
  ): Promise<ObjectContent> {
    this.signal = signal;
    await this.gate;
    const content = await super.getObject(bucket, key, options);
    return { ...content, body: this.stream };
  }
}

async function startStreaming(limits = {}) {
  const store = new StreamingStore();
  const server = await start({ store, limits });
  await server.s3.send(new PutObjectCommand({ Bucket: bucket, Key: 'k', Body: '0123456789' }));
  return { ...server, store };
}

describe('slow and vanishing clients', () => {
  it('abort the signal and destroy the stream when they leave in the middle', async () => {
    const { port, store } = await startStreaming();
    const { socket, until } = openSocket(port);
    socket.write(head('GET', `/${bucket}/k`));
    store.stream.push('01');
    await until('\r\n\r\n01');
    socket.destroy();
    await expect.poll(() => store.stream.destroyed).toBe(true);
    expect(store.signal?.aborted).toBe(true);
  });

  it('abort the signal when they leave before the answer', async () => {
    const { port, store } = await startStreaming();
    let open: () => void = () => undefined;
    store.gate = new Promise((resolve) => (open = resolve));
    const { socket } = openSocket(port);
    socket.write(head('GET', `/${bucket}/k`));
    await expect.poll(() => store.signal !== undefined).toBe(true);
    socket.destroy();
    await expect.poll(() => store.signal?.aborted).toBe(true);
    open();
    await expect.poll(() => store.stream.destroyed).toBe(true);
  });

  it('see a connection break, not a short object, when the stream fails', async () => {
    const { port, store } = await startStreaming();
    const { socket, until } = openSocket(port);
    socket.write(head('GET', `/${bucket}/k`));
    store.stream.push('01');
    await until('\r\n\r\n01');
    store.stream.destroy(new Error('lost'));
    await once(socket, 'close');
  });

  it('that stall an upload hear RequestTimeout', async () => {
    const { port } = await start({ limits: { idleTimeoutMs: 200 } });
    const answer = await rawExchange(port, head('PUT', `/${bucket}/k`, 'content-length: 10') + 'abc');
    expect(answer).toContain('<Code>RequestTimeout</Code>');
  });

  it('that wait for a long computation are not cut off', async () => {
    const { port, store } = await startStreaming({ idleTimeoutMs: 100 });
    store.gate = delay(500);
    store.stream.push('0123456789');
    store.stream.push(null);
    expect(await rawExchange(port, head('GET', `/${bucket}/k`, CLOSE))).toContain('0123456789');
  });
});

describe('draining', () => {
  it('lets a request under way finish, refuses new connections, and ends', async () => {
    const { port, store, close } = await startStreaming();
    const { socket, until } = openSocket(port);
    socket.write(head('GET', `/${bucket}/k`));
    store.stream.push('01234');
    await until('01234');
    const closed = close(5000);
    await delay(20);
    await expect(once(connect(port, '127.0.0.1'), 'connect')).rejects.toMatchObject({ code: 'ECONNREFUSED' });
    store.stream.push('56789');
    store.stream.push(null);
    await until('0123456789');
    await closed;
  });

  it('ends what has not finished at the time limit', async () => {
    const { port, store, close } = await startStreaming();
    const { socket, until } = openSocket(port);
    socket.write(head('GET', `/${bucket}/k`));
    store.stream.push('01');
    await until('\r\n\r\n01');
    await close(100);
    await expect.poll(() => socket.destroyed).toBe(true);
  });

  it('closes idle keep-alive connections at once', async () => {
    const { port, close } = await start();
    const agent = new Agent({ keepAlive: true });
    const response = await new Promise<Readable>((resolve) => {
      httpRequest({ port, host: '127.0.0.1', path: `/${bucket}/absent`, agent }, resolve).end();
    });
    response.resume();
    await once(response, 'end');
    const before = performance.now();
    await close(5000);
    expect(performance.now() - before).toBeLessThan(1000);
    agent.destroy();
  });
});
