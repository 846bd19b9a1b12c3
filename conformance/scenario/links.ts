/** URLs that carry their own signature, in the hands of somebody without credentials. */
import { readFile } from 'node:fs/promises';
import { Agent, request } from 'node:https';
import { request as plainRequest } from 'node:http';
import { buffer } from 'node:stream/consumers';
import { expect } from 'vitest';
import { downloaded } from './objects.js';
import type { Scene, Step } from './step.js';

export const linkSteps: readonly Step[] = [
  {
    title: 'signs a URL that anybody can read, until its signature is touched',
    needs: ['presignGet'],
    run: async (scene) => {
      const { session, bucket } = scene;
      const url = (await session.presignGet?.(bucket, 'pictures/cat.png')) ?? '';
      const answer = await send(scene, 'GET', url);
      expect(answer.status).toBe(200);
      expect(answer.body.equals(await scene.known('pictures/cat.png'))).toBe(true);
      const touched = await send(scene, 'GET', url.replace('cat.png', 'dog.png'));
      expect(touched.status).toBe(403);
    },
  },
  {
    title: 'signs a URL that anybody can upload a latent to',
    needs: ['presignPut'],
    run: async (scene) => {
      const { session, bucket, fixtures } = scene;
      const url = (await session.presignPut?.(bucket, 'links/cat.png')) ?? '';
      expect((await send(scene, 'PUT', url, await readFile(fixtures.latent))).status).toBe(200);
      const png = await downloaded(scene, 'links/cat.png');
      expect(png.subarray(1, 4).toString()).toBe('PNG');
    },
  },
];

interface Answer {
  readonly status: number;
  readonly body: Buffer;
}

/** `fetch` without a way to trust a certificate authority of one's own will not do. */
async function send(scene: Scene, method: string, url: string, body?: Uint8Array): Promise<Answer> {
  const { certificateAuthority } = scene;
  const agent =
    certificateAuthority === undefined ? undefined : new Agent({ ca: await readFile(certificateAuthority) });
  return new Promise((resolve, reject) => {
    const outgoing = agent ? request(url, { method, agent }) : plainRequest(url, { method });
    outgoing.once('error', reject).once('response', (incoming) => {
      buffer(incoming)
        .then((bytes) => resolve({ status: incoming.statusCode ?? 0, body: bytes }))
        .catch(reject)
        .finally(() => agent?.destroy());
    });
    outgoing.end(body);
  });
}
