/** A TCP relay in front of a real server that can cut, hold and refuse connections. */
import { once } from 'node:events';
import { connect, createServer, type Socket } from 'node:net';

export interface FaultyWire {
  readonly endpoint: string;
  /** Connections that reached the relay. */
  readonly connections: () => number;
  /** The next so many connections are cut as soon as the client has sent its first bytes. */
  cutNext(count: number): void;
  /** From now on bytes of clients go nowhere and no answer comes. */
  hold(): void;
  close(): Promise<void>;
}

export async function startFaultyWire(target: string): Promise<FaultyWire> {
  const { hostname, port } = new URL(target);
  const open = new Set<Socket>();
  let connections = 0;
  let cuts = 0;
  let holding = false;
  const track = (socket: Socket) => {
    open.add(socket);
    socket.on('close', () => open.delete(socket));
    // A reset is what this relay is for; the peers see it on their own side.
    socket.on('error', () => socket.destroy());
  };
  const server = createServer((client) => {
    connections++;
    track(client);
    if (holding) return;
    if (cuts > 0) {
      cuts--;
      client.once('data', () => client.resetAndDestroy());
      return;
    }
    const upstream = connect(Number(port), hostname);
    track(upstream);
    client.pipe(upstream);
    upstream.pipe(client);
    client.on('close', () => upstream.destroy());
    upstream.on('close', () => client.destroy());
  });
  await once(server.listen(0, '127.0.0.1'), 'listening');
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('no port');
  const cutAll = () => {
    for (const socket of open) socket.destroy();
  };
  return {
    endpoint: `http://127.0.0.1:${address.port}`,
    connections: () => connections,
    cutNext: (count) => {
      cutAll();
      cuts = count;
    },
    hold: () => {
      cutAll();
      holding = true;
    },
    close: async () => {
      cutAll();
      server.close();
      await once(server, 'close');
    },
  };
}
