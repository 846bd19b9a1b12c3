/** What became of one object, as reports and the journal tell it. */

/** Milliseconds by stage of one object. */
export interface ObjectTimings {
  readonly fetch: number;
  readonly convert: number;
  readonly write: number;
  readonly verify: number;
}

export interface ConvertedOutcome {
  readonly kind: 'converted';
  readonly model: string;
  /** Stored bytes before and after. */
  readonly bytesBefore: number;
  readonly bytesAfter: number;
  /** dB; null: the pixels are equal. JSON has no infinity. */
  readonly psnr: number | null;
  readonly ssim: number;
  /** A latent that lay beside the picture was used. */
  readonly sidecar?: string;
  readonly timings: ObjectTimings;
}

/** The object stays, or was copied, byte for byte. */
export interface VerbatimOutcome {
  readonly kind: 'verbatim';
  /** A closed set of codes, for counting. */
  readonly reason: string;
  /** One sentence for people. */
  readonly detail: string;
  readonly bytes: number;
  /** dB, where a latent was tried. */
  readonly psnr?: number;
  readonly timings: ObjectTimings;
}

/** It is latent-backed already: a client's own latent, or the work of an earlier migration. */
export interface AlreadyLatentOutcome {
  readonly kind: 'already-latent';
  readonly bytes: number;
}

/** A latent-backed object that is a PNG again. */
export interface RestoredOutcome {
  readonly kind: 'restored';
  readonly bytesBefore: number;
  readonly bytesAfter: number;
  /** The uploaded file itself came back, from where the originals were kept; otherwise the picture was decoded. */
  readonly fromOriginal: boolean;
}

/** It could not be migrated and is as it was. */
export interface FailedOutcome {
  readonly kind: 'failed';
  readonly message: string;
}

/** Somebody wrote or deleted it during the migration: what they did stands. */
export interface ChangedOutcome {
  readonly kind: 'changed';
}

export type ObjectOutcome =
  ConvertedOutcome | VerbatimOutcome | AlreadyLatentOutcome | RestoredOutcome | FailedOutcome | ChangedOutcome;
