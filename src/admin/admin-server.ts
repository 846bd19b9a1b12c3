/** Health, readiness and metrics on a port of their own, so that a busy S3 front cannot starve them. */
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { getRequestListener } from '@hono/node-server';
import { Hono } from 'hono';
import type { Registry } from 'prom-client';

export interface AdminServerOptions {
  readonly host: string;
  /** 0 takes a free one. */
  readonly port: number;
  readonly registry: Registry;
  /** What keeps the gateway from serving; empty when it is ready. */
  readonly notReady: () => readonly string[];
}

export class AdminServer {
  readonly #server: Server;

  constructor(private readonly options: AdminServerOptions) {
    const app = new Hono();
    app.get('/healthz', (context) => context.json({ status: 'ok' }));
    app.get('/readyz', (context) => {
      const reasons = options.notReady();
      return context.json(
        { status: reasons.length === 0 ? 'ready' : 'not ready', reasons },
        reasons.length === 0 ? 200 : 503,
      );
    });
    app.get('/metrics', async (context) =>
      context.body(await options.registry.metrics(), 200, { 'content-type': options.registry.contentType }),
    );
    const listener = getRequestListener(app.fetch, { overrideGlobalObjects: false });
    this.#server = createServer((request, response) => void listener(request, response));
  }

  /** @returns the URL that it answers on */
  async start(): Promise<string> {
    const { host, port } = this.options;
    await new Promise<void>((resolve, reject) => {
      this.#server.once('error', reject);
      this.#server.listen(port, host, () => {
        this.#server.off('error', reject);
        resolve();
      });
    });
    const address = this.#server.address() as AddressInfo;
    return `http://${host.includes(':') ? `[${host}]` : host}:${address.port}`;
  }

  async close(): Promise<void> {
    this.#server.closeAllConnections();
    if (this.#server.listening) await new Promise<void>((resolve) => this.#server.close(() => resolve()));
  }
}
