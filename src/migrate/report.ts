/** What a migration came to, from its journal: counts, bytes, fidelity, time by stage, and every object that failed. */
import type { JournalEntry } from './journal.js';
import type { ConvertedOutcome, ObjectTimings } from './outcome.js';
import { distribution, type Distribution } from './statistics.js';

export interface VerbatimGroup {
  readonly reason: string;
  readonly detail: string;
  readonly objects: number;
  readonly bytes: number;
  /** A few of them, to look at. */
  readonly examples: readonly string[];
}

export interface MigrationReport {
  readonly source: string;
  readonly target: string;
  readonly objects: number;
  readonly converted: number;
  readonly alreadyLatent: number;
  readonly verbatim: number;
  readonly failed: readonly { readonly key: string; readonly message: string }[];
  /** Written by others meanwhile, and left alone. */
  readonly changed: number;
  /** Objects that were being replaced when the run ended: run again to settle them. */
  readonly unsettled: number;
  /** Of all settled objects, as stored before and now. */
  readonly bytesBefore: number;
  readonly bytesAfter: number;
  readonly savedBytes: number;
  /** Of `bytesBefore`, from 0 to 1. */
  readonly savedShare: number;
  readonly psnr: Distribution | undefined;
  readonly ssim: Distribution | undefined;
  readonly byModel: Readonly<Record<string, number>>;
  readonly sidecars: number;
  readonly verbatimReasons: readonly VerbatimGroup[];
  /** Mean milliseconds of a converted object. */
  readonly stages: ObjectTimings | undefined;
}

const MAX_EXAMPLES = 5;
const STAGES = ['fetch', 'convert', 'write', 'verify'] as const;

/** One pass over the journal; memory does not grow with the bucket but for two numbers an object. */
export async function reportOf(
  source: string,
  target: string,
  entries: AsyncIterable<JournalEntry>,
): Promise<MigrationReport> {
  const reasons = new Map<string, { detail: string; objects: number; bytes: number; examples: string[] }>();
  const byModel: Record<string, number> = {};
  const failed: { key: string; message: string }[] = [];
  const psnr: number[] = [];
  const ssim: number[] = [];
  const stages: Record<keyof ObjectTimings, number> = { fetch: 0, convert: 0, write: 0, verify: 0 };
  const count = { objects: 0, converted: 0, alreadyLatent: 0, verbatim: 0, changed: 0, unsettled: 0, sidecars: 0 };
  let bytesBefore = 0;
  let bytesAfter = 0;

  const addConverted = (outcome: ConvertedOutcome): void => {
    count.converted += 1;
    bytesBefore += outcome.bytesBefore;
    bytesAfter += outcome.bytesAfter;
    byModel[outcome.model] = (byModel[outcome.model] ?? 0) + 1;
    if (outcome.psnr !== null) psnr.push(outcome.psnr);
    ssim.push(outcome.ssim);
    if (outcome.sidecar !== undefined) count.sidecars += 1;
    for (const stage of STAGES) stages[stage] += outcome.timings[stage];
  };

  for await (const entry of entries) {
    count.objects += 1;
    if (entry.state === 'replacing') {
      count.unsettled += 1;
      continue;
    }
    const { key, outcome } = entry;
    switch (outcome.kind) {
      case 'converted':
        addConverted(outcome);
        break;
      case 'verbatim': {
        count.verbatim += 1;
        bytesBefore += outcome.bytes;
        bytesAfter += outcome.bytes;
        const group = reasons.get(outcome.reason) ?? { detail: outcome.detail, objects: 0, bytes: 0, examples: [] };
        group.objects += 1;
        group.bytes += outcome.bytes;
        if (group.examples.length < MAX_EXAMPLES) group.examples.push(key);
        reasons.set(outcome.reason, group);
        break;
      }
      case 'already-latent':
        count.alreadyLatent += 1;
        bytesBefore += outcome.bytes;
        bytesAfter += outcome.bytes;
        break;
      case 'failed':
        failed.push({ key, message: outcome.message });
        break;
      case 'restored':
      case 'changed':
        count.changed += 1;
        break;
    }
  }
  const { converted } = count;
  const mean = (stage: keyof ObjectTimings) => stages[stage] / converted;
  return {
    source,
    target,
    ...count,
    failed,
    bytesBefore,
    bytesAfter,
    savedBytes: bytesBefore - bytesAfter,
    savedShare: bytesBefore === 0 ? 0 : (bytesBefore - bytesAfter) / bytesBefore,
    psnr: distribution(psnr),
    ssim: distribution(ssim),
    byModel,
    verbatimReasons: [...reasons]
      .map(([reason, group]) => ({ reason, ...group }))
      .toSorted((a, b) => b.objects - a.objects),
    stages:
      converted === 0
        ? undefined
        : { fetch: mean('fetch'), convert: mean('convert'), write: mean('write'), verify: mean('verify') },
  };
}
