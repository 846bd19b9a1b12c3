/** An nginx as people put it in front: it terminates TLS and rewrites the Host header, which clients have signed. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { findProgram } from '../../src/stores/testing/find-program.js';
import { untilAnswers } from './ports.js';
import { mustRun } from './run-command.js';

export interface Nginx {
  /** PEM file that clients must trust. */
  readonly certificateAuthority: string;
  close(): Promise<void>;
}

export interface NginxOptions {
  readonly port: number;
  /** The gateway's own URL. */
  readonly upstream: string;
}

/** @throws Error where nginx is not installed */
export async function startNginx({ port, upstream }: NginxOptions): Promise<Nginx> {
  const program = await findProgram('nginx');
  if (program === undefined) throw new Error('nginx is missing');
  const directory = await mkdtemp(join(tmpdir(), 'latentbox-nginx-'));
  const certificate = join(directory, 'certificate.pem');
  const key = join(directory, 'key.pem');
  await mustRun(
    'openssl',
    [
      ...['req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes', '-days', '2'],
      ...['-keyout', key, '-out', certificate, '-subj', '/CN=localhost'],
      ...['-addext', 'subjectAltName=DNS:localhost,IP:127.0.0.1'],
    ],
    { PATH: process.env['PATH'] ?? '' },
  );
  const file = join(directory, 'nginx.conf');
  await writeFile(file, configuration({ directory, certificate, key, port, upstream }));
  const child = spawn(program, ['-p', directory, '-c', file], { stdio: 'ignore' });
  await untilAnswers(port);
  return {
    certificateAuthority: certificate,
    close: async () => {
      const exited = once(child, 'exit');
      child.kill('SIGTERM');
      await exited;
      await rm(directory, { recursive: true, force: true });
    },
  };
}

interface Settings extends NginxOptions {
  readonly directory: string;
  readonly certificate: string;
  readonly key: string;
}

/** The proxy settings are those of docs/operations.md; the rest keeps nginx inside its folder. */
function configuration({ directory, certificate, key, port, upstream }: Settings): string {
  // Only root may give its workers another user, and only then must the temporary folder be theirs.
  const user = process.getuid?.() === 0 ? 'user root;' : '';
  const temporary = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'];
  return `daemon off;
${user}
worker_processes 1;
pid ${directory}/nginx.pid;
error_log ${directory}/error.log;
events { worker_connections 512; }
http {
  access_log off;
${temporary.map((name) => `  ${name}_temp_path ${directory}/${name};`).join('\n')}
  upstream gateway { server ${new URL(upstream).host}; keepalive 32; }
  server {
    listen 127.0.0.1:${port} ssl;
    server_name localhost;
    ssl_certificate ${certificate};
    ssl_certificate_key ${key};
    location / {
      proxy_pass http://gateway;
      proxy_set_header Host gateway.internal;
      proxy_set_header Connection "";
      proxy_http_version 1.1;
      proxy_request_buffering off;
      proxy_buffering off;
      client_max_body_size 0;
    }
  }
}
`;
}
