/** Browser forms: the fields before the file, and the file as a stream. */
import { Busboy, type BusboyInstance } from '@fastify/busboy';
import type { Readable } from 'node:stream';
import { errors, S3Error } from './errors.js';

/** Bytes of all fields together. @see https://docs.aws.amazon.com/AmazonS3/latest/API/sigv4-HTTPPOSTForms.html */
const MAX_FIELDS_BYTES = 20 * 1024;

export interface UploadForm {
  /** Names in lower case; what follows the file is ignored, as S3 ignores it. */
  readonly fields: ReadonlyMap<string, string>;
  /** As the browser named it, without folders; empty where it sent none. */
  readonly fileName: string;
  /** Must be consumed or destroyed. It errors where the form is cut off. */
  readonly file: Readable;
}

/**
 * Reads a multipart/form-data body up to its `file` part. Rejects with PreconditionFailed for another content type, and
 * with MalformedPOSTRequest, MaxPostPreDataLengthExceededError or InvalidArgument.
 */
export async function readUploadForm(contentType: string | undefined, body: Readable): Promise<UploadForm> {
  if (contentType === undefined || !/^multipart\/form-data\s*;/i.test(contentType))
    throw errors.preconditionFailed('Bucket POST must be of the enclosure-type multipart/form-data');
  const parser = openParser(contentType);
  const fields = new Map<string, string>();
  let bytes = 0;
  return new Promise<UploadForm>((resolve, reject) => {
    let file: Readable | undefined;
    const fail = (error: Error) => {
      body.unpipe(parser);
      file?.destroy(error);
      reject(error);
    };
    parser.on('field', (name, value, nameTruncated, valueTruncated) => {
      bytes += Buffer.byteLength(name) + Buffer.byteLength(value);
      if (nameTruncated || valueTruncated || bytes > MAX_FIELDS_BYTES) fail(fieldsTooLong());
      else if (file === undefined) fields.set(name.toLowerCase(), value);
    });
    parser.on('file', (name, stream, fileName) => {
      if (name.toLowerCase() !== 'file' || file !== undefined) {
        stream.resume();
        return;
      }
      file = stream;
      resolve({ fields, fileName: fileName.replace(/^.*[\\/]/, ''), file: stream });
    });
    parser.on('error', (cause) => fail(malformed(cause)));
    parser.on('finish', () =>
      reject(errors.invalidArgument('file', '', 'POST requires exactly one file upload per request.')),
    );
    body.once('error', fail);
    body.pipe(parser);
  });
}

function openParser(contentType: string): BusboyInstance {
  try {
    return new Busboy({
      headers: { 'content-type': contentType },
      // `file` may come without a file name: it is the file all the same.
      isPartAFile: (name, type, fileName) =>
        name?.toLowerCase() === 'file' || fileName !== undefined || type === 'application/octet-stream',
      limits: { fieldSize: MAX_FIELDS_BYTES, fields: 100, headerPairs: 100 },
    });
  } catch (cause) {
    throw malformed(cause);
  }
}

function malformed(cause: unknown): S3Error {
  return new S3Error('MalformedPOSTRequest', 'The body of your POST request is not well-formed multipart/form-data.', {
    cause,
  });
}

function fieldsTooLong(): S3Error {
  return new S3Error(
    'MaxPostPreDataLengthExceededError',
    'Your POST request fields preceding the upload file were too large.',
  );
}
