/** Sends a command of the SDK with a body of one's own, and keeps the answer as the server wrote it. */
import { Readable } from 'node:stream';
import { text } from 'node:stream/consumers';
import type { ServiceInputTypes, ServiceOutputTypes } from '@aws-sdk/client-s3';
import type { SerializeMiddleware } from '@smithy/types';
import type { BackingClient, S3Command, SendOptions } from './backing-client.js';

export interface TextExchange {
  /** In place of what the SDK would send. */
  readonly sent?: string;
  /** The answer's body. */
  received?: string;
}

/** @throws as `BackingClient.send` */
export async function sendText<Input extends ServiceInputTypes, Output extends ServiceOutputTypes>(
  client: BackingClient,
  command: S3Command<Input, Output>,
  exchange: TextExchange,
  options: SendOptions,
): Promise<void> {
  const { sent } = exchange;
  if (sent !== undefined) {
    // Before the steps that compute checksums and lengths of the body and sign it.
    const replaceBody: SerializeMiddleware<Input, Output> = (next) => (args) => {
      (args.request as { body: unknown }).body = sent;
      return next(args);
    };
    command.middlewareStack.addRelativeTo(replaceBody, {
      relation: 'after',
      toMiddleware: 'serializerMiddleware',
      name: 'ownText',
    });
  }
  command.middlewareStack.add(
    (next) => async (args) => {
      const result = await next(args);
      const response = result.response as { statusCode: number; body: Readable };
      if (response.statusCode < 300) {
        exchange.received = await text(response.body);
        response.body = Readable.from([Buffer.from(exchange.received)]);
      }
      return result;
    },
    { step: 'deserialize', priority: 'low', name: 'keepText' },
  );
  await client.send(command, options);
}
