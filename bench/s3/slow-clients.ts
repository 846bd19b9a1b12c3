/**
 * What 1,000 clients that hardly read, or hardly write, do to one that is in a hurry, and to memory. The peer is
 * versitygw with the same clients where it is installed, and always the same gateway without them.
 */
import { connect, type Socket } from 'node:net';
import { GetObjectCommand, PutObjectCommand, CreateBucketCommand, S3Client } from '@aws-sdk/client-s3';
import { getSignedUrl } from '@aws-sdk/s3-request-presigner';
import { setTimeout as delay } from 'node:timers/promises';
import type { BenchRow } from '../row.js';
import { residentBytes, startOurs, startPeer, type BenchServer } from './servers.js';

const SLOW_CLIENTS = 1000;
const FAST_REQUESTS = 300;
/** What a slow reader asks for: more than sockets buffer. */
const LARGE_BYTES = 8 << 20;
const SMALL_BYTES = 64 << 10;
/** A slow uploader sends so much, this often. */
const TRICKLE_BYTES = 512;
const TRICKLE_MS = 1000;
const MIB = 1 << 20;
const BUCKET = 'bench-slow-clients';

interface Latency {
  /** Milliseconds. */
  readonly median: number;
  readonly p99: number;
}

interface Measured {
  readonly idle: Latency;
  readonly readers: Latency;
  readonly uploaders: Latency;
  /** Bytes of resident memory that each group of clients added. */
  readonly readersBytes: number;
  readonly uploadersBytes: number;
}

export async function* benchSlowClients(): AsyncIterable<BenchRow> {
  const ours = await measureServer(await startOurs());
  const peerServer = await startPeer();
  const peer = peerServer && (await measureServer(peerServer));
  for (const [name, clients] of [
    ['readers', 'that stop reading 8 MiB'],
    ['uploaders', 'that send 512 bytes a second'],
  ] as const) {
    const what = `GET of 64 KiB beside ${SLOW_CLIENTS} clients ${clients}`;
    for (const figure of ['median', 'p99'] as const) {
      yield row(`${what}, ${figure}`, 'ms', ours[name][figure], ours.idle[figure], 'the same gateway without them');
      if (peer) yield row(`${what}, ${figure}`, 'ms', ours[name][figure], peer[name][figure], 'versitygw');
    }
    if (peer) {
      const [own, other] = [ours[`${name}Bytes`], peer[`${name}Bytes`]].map((bytes) => Math.max(bytes, MIB) / MIB);
      yield row(
        `resident memory that ${SLOW_CLIENTS} clients ${clients} add`,
        'MiB',
        own ?? 0,
        other ?? 0,
        'versitygw',
      );
    }
  }
  const added = Math.max(ours.readersBytes, ours.uploadersBytes, MIB) / MIB;
  const unread = (SLOW_CLIENTS * LARGE_BYTES) / MIB;
  yield row('most resident memory that slow clients add', 'MiB', added, unread, 'the bytes that they have asked for');
}

function row(name: string, unit: string, ours: number, peer: number, versus: string): BenchRow {
  return { bench: 'slow-clients', case: name, ours, peer, unit, ratio: peer / ours, versus };
}

async function measureServer(server: BenchServer): Promise<Measured> {
  const s3 = new S3Client({
    endpoint: server.endpoint,
    region: 'us-east-1',
    forcePathStyle: true,
    credentials: server.credentials,
  });
  try {
    await s3.send(new CreateBucketCommand({ Bucket: BUCKET }));
    await s3.send(new PutObjectCommand({ Bucket: BUCKET, Key: 'large', Body: Buffer.alloc(LARGE_BYTES, 1) }));
    await s3.send(new PutObjectCommand({ Bucket: BUCKET, Key: 'small', Body: Buffer.alloc(SMALL_BYTES, 2) }));
    const small = await getSignedUrl(s3, new GetObjectCommand({ Bucket: BUCKET, Key: 'small' }));
    const large = await getSignedUrl(s3, new GetObjectCommand({ Bucket: BUCKET, Key: 'large' }));
    await fastLatency(small);
    const idle = await fastLatency(small);
    const readers = await beside(server, small, () => slowReader(large));
    const uploaders = await beside(server, small, async (index) => {
      const target = new PutObjectCommand({ Bucket: BUCKET, Key: `up-${index}` });
      return slowUploader(await getSignedUrl(s3, target));
    });
    return {
      idle,
      readers: readers.latency,
      readersBytes: readers.bytes,
      uploaders: uploaders.latency,
      uploadersBytes: uploaders.bytes,
    };
  } finally {
    s3.destroy();
    await server.close();
  }
}

/** The fast client's latency, and the memory added, while `SLOW_CLIENTS` of these are connected. */
async function beside(
  { pid }: BenchServer,
  fast: string,
  open: (index: number) => Promise<Socket>,
): Promise<{ latency: Latency; bytes: number }> {
  const before = await residentBytes(pid);
  const sockets: Socket[] = [];
  for (let i = 0; i < SLOW_CLIENTS; i++) sockets.push(await open(i));
  // Until every answer, or the part of it that fits, is under way.
  await delay(2000);
  const latency = await fastLatency(fast);
  const bytes = (await residentBytes(pid)) - before;
  const closed = sockets.filter((socket) => socket.destroyed).length;
  for (const socket of sockets) socket.destroy();
  if (closed > 0) throw new Error(`${closed} slow clients were disconnected: the figures are not of ${SLOW_CLIENTS}`);
  return { latency, bytes };
}

async function fastLatency(url: string): Promise<Latency> {
  const times: number[] = [];
  for (let i = 0; i < FAST_REQUESTS; i++) {
    const start = performance.now();
    const response = await fetch(url);
    const { byteLength } = await response.arrayBuffer();
    if (byteLength !== SMALL_BYTES) throw new Error(`GET answered ${response.status}`);
    times.push(performance.now() - start);
  }
  times.sort((a, b) => a - b);
  const at = (share: number) => times[Math.floor(times.length * share)] ?? 0;
  return { median: at(0.5), p99: at(0.99) };
}

/** Asks, and never reads beyond the head of the answer. */
async function slowReader(url: string): Promise<Socket> {
  const socket = await open(url, 'GET', '');
  await new Promise<void>((resolve, reject) => {
    socket.once('data', (head: Buffer) => {
      socket.pause();
      if (head.toString('latin1').startsWith('HTTP/1.1 200')) resolve();
      else reject(new Error(head.toString('latin1').slice(0, 200)));
    });
    socket.once('error', reject);
  });
  socket.on('error', () => undefined);
  return socket;
}

/** Begins an upload of a megabyte and goes on with a trickle. */
async function slowUploader(url: string): Promise<Socket> {
  const socket = await open(url, 'PUT', `content-length: ${MIB}\r\n`);
  socket.on('error', () => undefined);
  const trickle = setInterval(() => socket.write(Buffer.alloc(TRICKLE_BYTES)), TRICKLE_MS);
  socket.once('close', () => clearInterval(trickle));
  socket.write(Buffer.alloc(TRICKLE_BYTES));
  return socket;
}

async function open(url: string, method: string, headers: string): Promise<Socket> {
  const { hostname, port, host, pathname, search } = new URL(url);
  const socket = connect(Number(port), hostname);
  await new Promise<void>((resolve, reject) => {
    socket.once('connect', resolve);
    socket.once('error', reject);
  });
  socket.write(`${method} ${pathname}${search} HTTP/1.1\r\nhost: ${host}\r\n${headers}\r\n`);
  return socket;
}
