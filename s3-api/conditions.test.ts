import { describe, expect, it } from 'vitest';
import {
  evaluateCopySourceConditions,
  evaluateReadConditions,
  evaluateWriteConditions,
  parseConditions,
} from './conditions.js';
import { S3Error } from './errors.js';

const current = { etag: 'abc', lastModified: new Date('2024-05-05T05:05:05.900Z') };
const parsed = (headers: Record<string, string>) => parseConditions(new Map(Object.entries(headers)));

function outcome(run: () => void): string {
  try {
    run();
    return 'proceed';
  } catch (error) {
    return error instanceof S3Error ? error.code : String(error);
  }
}

describe('conditions of reads', () => {
  const date = 'Sun, 05 May 2024 05:05:05 GMT';
  it.each([
    [{ 'if-modified-since': date }, 'NotModified'],
    [{ 'if-unmodified-since': date }, 'proceed'],
    [{ 'if-modified-since': 'Sun, 05 May 2024 05:05:04 GMT' }, 'proceed'],
    [{ 'if-unmodified-since': 'Sun, 05 May 2024 05:05:04 GMT' }, 'PreconditionFailed'],
    [{ 'if-match': '"x", "abc"' }, 'proceed'],
    [{ 'if-match': 'W/"abc"' }, 'proceed'],
    [{ 'if-match': '"x"', 'if-none-match': '"abc"' }, 'PreconditionFailed'],
    [{ 'if-none-match': '*' }, 'NotModified'],
    [{ 'if-none-match': '"x"', 'if-modified-since': date }, 'proceed'],
    [{ 'if-match': '"abc"', 'if-unmodified-since': 'Sun, 05 May 2020 05:05:05 GMT' }, 'proceed'],
  ])('decide %j as %s, seconds being the finest that HTTP knows', (headers, expected) => {
    expect(outcome(() => evaluateReadConditions(parsed(headers), current))).toBe(expected);
  });

  it('never answer 304 for a copy', () => {
    const conditions = parsed({ 'if-none-match': '"abc"' });
    expect(outcome(() => evaluateCopySourceConditions(conditions, current))).toBe('PreconditionFailed');
  });
});

describe('conditions of writes', () => {
  it.each([
    [{ 'if-none-match': '*' }, current, 'PreconditionFailed'],
    [{ 'if-none-match': '*' }, undefined, 'proceed'],
    [{ 'if-match': '"abc"' }, current, 'proceed'],
    [{ 'if-match': '"x"' }, current, 'PreconditionFailed'],
    [{ 'if-match': '"abc"' }, undefined, 'NoSuchKey'],
    [{ 'if-match': '*' }, current, 'proceed'],
    [{}, current, 'proceed'],
  ])('decide %j of %j as %s', (headers, object, expected) => {
    expect(outcome(() => evaluateWriteConditions(parsed(headers), 'key', object))).toBe(expected);
  });
});

describe('parseConditions', () => {
  it('gives nothing where there is nothing, and reads a prefix of its own', () => {
    expect(parsed({ 'content-type': 'x' })).toBeUndefined();
    expect(parsed({ 'if-modified-since': 'soon' })).toBeUndefined();
    expect(parseConditions(new Map([['x-amz-copy-source-if-match', '"a"']]), 'x-amz-copy-source-')).toEqual({
      ifMatch: ['a'],
    });
  });
});
