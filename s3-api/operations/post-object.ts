/** PostObject: a browser's form upload. @see https://docs.aws.amazon.com/AmazonS3/latest/API/RESTObjectPOST.html */
import { Transform, type Readable } from 'node:stream';
import { checkPostPolicy, maxFileSize, type VerifiedForm } from '../auth/post-policy.js';
import { requireKeyLength } from '../bucket-names.js';
import { createHasher, decodeDigest } from '../checksums/index.js';
import { errors, S3Error } from '../errors.js';
import { quoteEtag } from '../etag.js';
import { readUploadForm, type UploadForm } from '../form-data.js';
import { statedChecksum } from '../headers/checksum-headers.js';
import { writeResultHeaders } from '../headers/object-headers.js';
import type { ChecksumAlgorithm, WriteResult } from '../object-store.js';
import type { Operation, OperationDeps } from '../operation.js';
import type { S3Request } from '../s3-request.js';
import type { S3Response } from '../s3-response.js';
import { encodeListedKey } from '../url-encoding.js';
import { parseTagging } from './tagging-document.js';
import { MAX_PUT_BYTES, newObjectOptions } from './write-options.js';

const MAX_OBJECT_TAGS = 10;
/** What the form's own lines may add to the file. */
const MAX_FORM_OVERHEAD_BYTES = 1024 * 1024;

export const postObject: Operation = async (request, deps, signal) => {
  const { body } = request.openBody({ maxBytes: MAX_PUT_BYTES + MAX_FORM_OVERHEAD_BYTES });
  const form = await readUploadForm(request.headers.get('content-type'), body);
  try {
    return await storeForm(request, deps, form, signal);
  } finally {
    form.file.destroy();
    body.destroy();
  }
};

async function storeForm(
  request: S3Request,
  deps: OperationDeps,
  form: UploadForm,
  signal: AbortSignal,
): Promise<S3Response> {
  const { bucket } = request;
  const { policy, authenticated } = verifiedForm(request, deps, form);
  const key = requiredField(form, 'key').replaceAll('${filename}', form.fileName);
  if (key === '')
    throw new S3Error(
      'UserKeyMustBeSpecified',
      'The bucket POST must contain the specified field name. If it is specified, please check the order of the fields.',
    );
  requireKeyLength(key);
  const fields = new Map(form.fields).set('bucket', bucket).set('key', key);
  if (policy !== undefined) checkPostPolicy(policy, fields, deps.now());
  deps.authorize(authenticated, 's3:PutObject', bucket, key);

  const headers = objectHeadersOf(form.fields);
  const tagging = form.fields.get('tagging');
  const checksum = statedFormChecksum(headers);
  const result = await deps.store.putObject(
    bucket,
    key,
    measured(
      form.file,
      policy === undefined ? MAX_PUT_BYTES : (maxFileSize(policy) ?? MAX_PUT_BYTES),
      checksum,
      (size) => {
        if (policy !== undefined) checkPostPolicy(policy, fields, deps.now(), size);
      },
    ),
    {
      ...newObjectOptions(headers),
      ...(tagging !== undefined && { tags: parseTagging(tagging, MAX_OBJECT_TAGS) }),
      ...(checksum && { checksum: { algorithm: checksum.algorithm, value: () => checksum.value } }),
    },
    signal,
  );
  return formAnswer(request, form.fields, key, result);
}

/** A request that was signed itself needs no signed policy. */
function verifiedForm({ auth }: S3Request, deps: OperationDeps, { fields }: UploadForm): VerifiedForm {
  if (auth.method === 'header' || auth.method === 'query') return { authenticated: auth };
  return deps.authenticateForm(fields);
}

function requiredField({ fields }: UploadForm, name: string): string {
  const value = fields.get(name);
  if (value !== undefined) return value;
  throw errors.invalidArgument(
    name,
    '',
    `Bucket POST must contain a field named '${name}'.  If it is specified, please check the order of the fields.`,
  );
}

/** Fields that say what a PUT's headers say; `acl` is the one with another name. */
function objectHeadersOf(fields: ReadonlyMap<string, string>): ReadonlyMap<string, string> {
  const headers = new Map(fields);
  const acl = fields.get('acl');
  if (acl !== undefined) headers.set('x-amz-acl', acl);
  return headers;
}

interface FormChecksum {
  readonly algorithm: ChecksumAlgorithm;
  /** Base64. */
  readonly value: string;
}

/** The one checksum of the file that the form's fields may state. Throws InvalidRequest. */
function statedFormChecksum(fields: ReadonlyMap<string, string>): FormChecksum | undefined {
  const named = [...fields.keys()].filter((name) => /^x-amz-checksum-(?!algorithm$|type$|mode$)/.test(name));
  if (named.length > 1)
    throw errors.invalidRequest('Expecting a single x-amz-checksum- header. Multiple checksum Types are not allowed.');
  const [name] = named;
  if (name === undefined) return undefined;
  const stated = statedChecksum(fields);
  if (stated === undefined)
    throw errors.invalidRequest('The algorithm type you specified in x-amz-checksum- header is invalid.');
  if (decodeDigest(stated.algorithm, stated.value) === undefined)
    throw errors.invalidRequest(`Value for ${name} header is invalid.`);
  return stated;
}

/** The file, held to a maximum while it flows and checked as a whole before it ends. */
function measured(
  file: Readable,
  maximum: number,
  checksum: FormChecksum | undefined,
  checkSize: (size: number) => void,
): Readable {
  const hasher = checksum && createHasher(checksum.algorithm);
  let size = 0;
  const meter = new Transform({
    transform(chunk: Buffer, _encoding, callback) {
      size += chunk.length;
      if (size > maximum) callback(tooLarge(size, maximum));
      else {
        hasher?.update(chunk);
        callback(null, chunk);
      }
    },
    flush(callback) {
      try {
        checkSize(size);
        if (checksum && hasher?.digest().toString('base64') !== checksum.value)
          throw new S3Error(
            'BadDigest',
            `The ${checksum.algorithm} you specified did not match the calculated checksum.`,
          );
        callback();
      } catch (error) {
        callback(error as Error);
      }
    },
  });
  file.once('error', (error) => meter.destroy(error));
  return file.pipe(meter);
}

function tooLarge(size: number, maximum: number): S3Error {
  return new S3Error('EntityTooLarge', 'Your proposed upload exceeds the maximum allowed size', {
    fields: { ProposedSize: String(size), MaxSizeAllowed: String(maximum) },
  });
}

function formAnswer(
  { bucket, resourceUrl }: S3Request,
  fields: ReadonlyMap<string, string>,
  key: string,
  result: WriteResult,
): S3Response {
  const location = `${resourceUrl.replace(/\/?$/, '/')}${encodeListedKey(key)}`;
  const headers = { ...writeResultHeaders(result), location };
  const redirect = redirectTarget(fields.get('success_action_redirect') ?? fields.get('redirect'));
  if (redirect !== undefined) {
    redirect.searchParams.set('bucket', bucket);
    redirect.searchParams.set('key', key);
    redirect.searchParams.set('etag', quoteEtag(result.etag));
    return { status: 303, headers: { ...headers, location: redirect.href } };
  }
  const status = fields.get('success_action_status');
  if (status === '201')
    return {
      status: 201,
      headers,
      xml: {
        root: 'PostResponse',
        namespace: false,
        content: { Location: location, Bucket: bucket, Key: key, ETag: quoteEtag(result.etag) },
      },
    };
  return { status: status === '200' ? 200 : 204, headers };
}

/** S3 ignores a redirect that is no http(s) URL. */
function redirectTarget(text: string | undefined): URL | undefined {
  const url = text === undefined || !URL.canParse(text) ? undefined : new URL(text);
  return url?.protocol === 'http:' || url?.protocol === 'https:' ? url : undefined;
}
