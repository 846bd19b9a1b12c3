/** Entry of an ingest thread: one upload at a time, results by transfer. */
import { parentPort } from 'node:worker_threads';
import { S3Error } from '../../s3-api/errors.js';
import { ingestLatent, withAttributes } from './ingest.js';
import type { IngestReply, IngestTask } from './ingest-pool.js';

if (parentPort === null) throw new Error('ingest-worker is the entry of a worker thread');
const port = parentPort;

function run(task: IngestTask): IngestReply {
  try {
    return task.kind === 'ingest'
      ? { ok: true, ingested: ingestLatent(task.request) }
      : { ok: true, container: withAttributes(task.container, task.attributes) };
  } catch (error) {
    if (error instanceof S3Error)
      return { ok: false, s3: { code: error.code, message: error.message, fields: error.fields } };
    return { ok: false, message: error instanceof Error ? (error.stack ?? error.message) : String(error) };
  }
}

port.on('message', (task: IngestTask) => {
  port.postMessage(run(task));
});
