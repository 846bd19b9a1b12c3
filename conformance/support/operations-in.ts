/** From the requests of a client to the operations that it called, each with the best answer it got. */
import type { LoggedRequest } from './access-log.js';

export interface SeenOperation {
  readonly operation: string;
  /** `ok`, or the code of the one error that it was ever answered with, or `error` for several. */
  readonly answer: string;
}

export function operationsIn(requests: readonly LoggedRequest[]): readonly SeenOperation[] {
  const answers = new Map<string, Set<string>>();
  for (const { operation, status, errorCode } of requests) {
    const seen = answers.get(operation) ?? new Set();
    seen.add(status < 400 ? 'ok' : (errorCode ?? 'error'));
    answers.set(operation, seen);
  }
  return [...answers]
    .map(([operation, seen]) => ({
      operation,
      answer: seen.has('ok') ? 'ok' : seen.size > 1 ? 'error' : ([...seen][0] ?? ''),
    }))
    .sort((a, b) => a.operation.localeCompare(b.operation, 'en'));
}
