/**
 * The documents that S3 keeps with a bucket, handed through as they are written. The SDK wants them as objects; sending
 * the client's own text keeps whatever this SDK does not know yet.
 */
import {
  DeleteBucketCorsCommand,
  DeleteBucketEncryptionCommand,
  DeleteBucketLifecycleCommand,
  DeleteBucketPolicyCommand,
  DeleteBucketTaggingCommand,
  GetBucketCorsCommand,
  GetBucketEncryptionCommand,
  GetBucketLifecycleConfigurationCommand,
  GetBucketPolicyCommand,
  GetBucketTaggingCommand,
  GetBucketVersioningCommand,
  PutBucketCorsCommand,
  PutBucketEncryptionCommand,
  PutBucketLifecycleConfigurationCommand,
  PutBucketPolicyCommand,
  PutBucketTaggingCommand,
  PutBucketVersioningCommand,
} from '@aws-sdk/client-s3';
import { errors, S3Error } from '../../../s3-api/errors.js';
import type { BucketDocument } from '../../../s3-api/object-store.js';
import type { Backing } from './backing.js';
import type { ServiceInputTypes, ServiceOutputTypes } from '@aws-sdk/client-s3';
import type { S3Command } from './backing-client.js';
import { sendText, type TextExchange } from './text-exchange.js';

interface BucketName {
  readonly Bucket: string;
}

type Send = <Input extends ServiceInputTypes, Output extends ServiceOutputTypes>(
  command: S3Command<Input, Output>,
) => Promise<void>;

/** The three commands of each document; the empty bodies give way to the text. */
const COMMANDS = {
  cors: {
    get: (send: Send, name: BucketName) => send(new GetBucketCorsCommand(name)),
    put: (send: Send, name: BucketName) =>
      send(new PutBucketCorsCommand({ ...name, CORSConfiguration: { CORSRules: [] } })),
    remove: (send: Send, name: BucketName) => send(new DeleteBucketCorsCommand(name)),
  },
  tagging: {
    get: (send: Send, name: BucketName) => send(new GetBucketTaggingCommand(name)),
    put: (send: Send, name: BucketName) => send(new PutBucketTaggingCommand({ ...name, Tagging: { TagSet: [] } })),
    remove: (send: Send, name: BucketName) => send(new DeleteBucketTaggingCommand(name)),
  },
  lifecycle: {
    get: (send: Send, name: BucketName) => send(new GetBucketLifecycleConfigurationCommand(name)),
    put: (send: Send, name: BucketName) =>
      send(new PutBucketLifecycleConfigurationCommand({ ...name, LifecycleConfiguration: { Rules: [] } })),
    remove: (send: Send, name: BucketName) => send(new DeleteBucketLifecycleCommand(name)),
  },
  policy: {
    get: (send: Send, name: BucketName) => send(new GetBucketPolicyCommand(name)),
    put: (send: Send, name: BucketName) => send(new PutBucketPolicyCommand({ ...name, Policy: '' })),
    remove: (send: Send, name: BucketName) => send(new DeleteBucketPolicyCommand(name)),
  },
  versioning: {
    get: (send: Send, name: BucketName) => send(new GetBucketVersioningCommand(name)),
    put: (send: Send, name: BucketName) =>
      send(new PutBucketVersioningCommand({ ...name, VersioningConfiguration: {} })),
    remove: undefined,
  },
  encryption: {
    get: (send: Send, name: BucketName) => send(new GetBucketEncryptionCommand(name)),
    put: (send: Send, name: BucketName) =>
      send(new PutBucketEncryptionCommand({ ...name, ServerSideEncryptionConfiguration: { Rules: [] } })),
    remove: (send: Send, name: BucketName) => send(new DeleteBucketEncryptionCommand(name)),
  },
} as const satisfies Record<BucketDocument, object>;

const ABSENT: ReadonlySet<string> = new Set([
  'NoSuchCORSConfiguration',
  'NoSuchTagSet',
  'NoSuchLifecycleConfiguration',
  'NoSuchBucketPolicy',
  'ServerSideEncryptionConfigurationNotFoundError',
]);

/** `undefined` where none is set. */
export async function getBucketDocument(
  backing: Backing,
  bucket: string,
  document: BucketDocument,
  signal: AbortSignal,
): Promise<string | undefined> {
  const exchange: TextExchange = {};
  try {
    await COMMANDS[document].get(sender(backing, bucket, exchange, signal), backing.bucket(bucket));
  } catch (error) {
    if (error instanceof S3Error && ABSENT.has(error.code)) return undefined;
    throw error;
  }
  const { received = '' } = exchange;
  if (received === '') return undefined;
  return document === 'policy' ? renameInPolicy(received, backing.names.toBacking(bucket), bucket) : received;
}

/** `undefined` removes it. */
export async function putBucketDocument(
  backing: Backing,
  bucket: string,
  document: BucketDocument,
  content: string | undefined,
  signal: AbortSignal,
): Promise<void> {
  const { put, remove } = COMMANDS[document];
  const name = backing.bucket(bucket);
  if (content !== undefined) {
    const sent = document === 'policy' ? renameInPolicy(content, bucket, name.Bucket) : content;
    await put(sender(backing, bucket, { sent }, signal), name);
  } else if (remove === undefined) throw errors.notImplemented(`removing the ${document} configuration`);
  else await remove(sender(backing, bucket, {}, signal), name);
}

/** A policy names its bucket: over there it has another name. */
function renameInPolicy(policy: string, from: string, to: string): string {
  const arn = new RegExp(`(arn:aws[a-z-]*:s3:::)${from.replaceAll('.', '\\.')}(?=["/])`, 'g');
  return policy.replace(arn, (_, start: string) => start + to);
}

function sender(backing: Backing, bucket: string, exchange: TextExchange, signal: AbortSignal): Send {
  return (command) => sendText(backing.client, command, exchange, { signal, bucket });
}
