/** ListBuckets. @see https://docs.aws.amazon.com/AmazonS3/latest/API/API_ListBuckets.html */
import { errors } from '../errors.js';
import { compareKeys } from '../key-order.js';
import type { Operation } from '../operation.js';
import { integerParameter } from '../s3-request.js';
import { xmlResponse } from '../s3-response.js';
import { decodeContinuationToken, encodeContinuationToken } from './listing-parameters.js';

const MAX_BUCKETS = 10_000;

export const listBuckets: Operation = async (request, { store, owner, region }, signal) => {
  const maxBuckets = integerParameter(request, 'max-buckets', { min: 1, max: MAX_BUCKETS });
  const prefix = request.query.get('prefix');
  const wantedRegion = request.query.get('bucket-region');
  const token = request.query.get('continuation-token');
  if (token === '')
    throw errors.invalidArgument('continuation-token', token, 'The continuation token provided is incorrect');
  const after = token === undefined ? '' : decodeContinuationToken(token);

  const buckets = (await store.listBuckets(signal))
    .filter(({ name }) => name.startsWith(prefix ?? '') && compareKeys(name, after) > 0)
    .filter(() => wantedRegion === undefined || wantedRegion === region)
    .toSorted((a, b) => compareKeys(a.name, b.name));
  const page = buckets.slice(0, maxBuckets ?? MAX_BUCKETS);
  const last = page.at(-1);
  return xmlResponse('ListAllMyBucketsResult', {
    Owner: { ID: owner.id, DisplayName: owner.displayName },
    Buckets: {
      Bucket: page.map(({ name, creationDate }) => ({
        Name: name,
        CreationDate: creationDate,
        ...(maxBuckets !== undefined && { BucketRegion: region }),
      })),
    },
    ...(prefix !== undefined && { Prefix: prefix }),
    ...(page.length < buckets.length &&
      last !== undefined && { ContinuationToken: encodeContinuationToken(last.name) }),
  });
};
