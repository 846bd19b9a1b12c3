import { createServer, type Server } from 'node:http';
import { connect, type AddressInfo } from 'node:net';
import { buffer } from 'node:stream/consumers';
import { afterEach, describe, expect, it } from 'vitest';
import { decodeRequestBody } from './body/decode-request-body.js';
import { headerOf, wireRequestFrom, type WireRequest } from './wire-request.js';

let server: Server | undefined;

afterEach(() => {
  server?.closeAllConnections();
  server?.close();
});

/** What the server makes of these very bytes; `hangUp` ends the connection in the middle of the body. */
async function received<T>(bytes: string, handle: (request: WireRequest) => Promise<T>, hangUp = false): Promise<T> {
  return new Promise<T>((resolve, reject) => {
    server = createServer((incoming, response) => {
      handle(wireRequestFrom(incoming))
        .then(resolve, reject)
        .finally(() => response.end());
      if (hangUp) socket.destroy();
    });
    server.keepAliveTimeout = 100;
    let socket: ReturnType<typeof connect>;
    server.listen(0, '127.0.0.1', () => {
      socket = connect((server?.address() as AddressInfo).port, '127.0.0.1', () => socket.write(bytes, 'latin1'));
      socket.on('error', () => undefined);
    });
  });
}

describe('wireRequestFrom', () => {
  it('keeps path, query and headers as they lay on the wire', async () => {
    const bytes =
      'GET //a/../b%2Fc+d/./%7e?x=1&&y=a+b&?z HTTP/1.1\r\nHost: h\r\nX-Amz-Meta-A:  one  two \r\n' +
      'x-amz-meta-b: \u00e9\r\nX-AMZ-META-A: three\r\n\r\n';
    const request = await received(bytes, async (each) => each);
    expect(request.rawPath).toBe('//a/../b%2Fc+d/./%7e');
    expect(request.rawQuery).toBe('x=1&&y=a+b&?z');
    expect(request.headers).toEqual([
      ['host', 'h'],
      ['x-amz-meta-a', 'one  two'],
      ['x-amz-meta-b', '\u00e9'],
      ['x-amz-meta-a', 'three'],
    ]);
    expect(headerOf(request, 'x-amz-meta-a')).toBe('one  two,three');
    expect(headerOf(request, 'absent')).toBeUndefined();
    expect(request.remoteAddress).toBe('127.0.0.1');
    expect(request.secure).toBe(false);
  });

  it.each([
    ['http://h:1/a//b?q', '/a//b', 'q'],
    ['HTTP://h', '/', ''],
    ['http://h?q=http://x/', '/', 'q=http://x/'],
    ['/http://h/x', '/http://h/x', ''],
  ])('cuts the absolute form %s', async (target, path, query) => {
    const request = await received(`GET ${target} HTTP/1.1\r\nHost: h\r\n\r\n`, async (each) => each);
    expect([request.rawPath, request.rawQuery]).toEqual([path, query]);
  });

  it('gives a body whose connection breaks off as IncompleteBody', async () => {
    const take = async (request: WireRequest) =>
      buffer(
        decodeRequestBody(request, {
          principal: { name: 'anonymous', allow: [] },
          accessKeyId: undefined,
          credentialName: 'anonymous',
          method: 'anonymous',
          payload: { kind: 'unsigned' },
        }).body,
      );
    const bytes = 'PUT /b/k HTTP/1.1\r\nHost: h\r\nContent-Length: 100\r\n\r\nonly this';
    await expect(received(bytes, take, true)).rejects.toMatchObject({ code: 'IncompleteBody' });
  });
});
