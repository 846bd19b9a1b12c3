/**
 * What the latent store needs of the store behind it beyond {@link ObjectStore}: an upload in parts can be read before
 * it is completed, and can end in another object than the parts joined.
 */
import type { Readable } from 'node:stream';
import type {
  ByteRange,
  CompletedPart,
  CompleteMultipartOptions,
  CopySource,
  CreateMultipartOptions,
  MultipartUpload,
  ObjectStore,
  PartInfo,
  UploadPartCopyOptions,
  UploadPartOptions,
  WriteOptions,
  WriteResult,
} from '../../s3-api/index.js';

/** Bytes of an upload that its kind is told from. */
export const SNIFF_BYTES = 64;

/** Whether an upload that begins with these bytes (SNIFF_BYTES of them, or all there are) will be opened. */
export type FirstBytesTest = (head: Uint8Array) => boolean;

/** An upload that is to be opened before Complete. */
export interface UploadReading {
  /** `by-first-bytes`: if the {@link FirstBytesTest} that comes with its parts says so. */
  readonly when: 'always' | 'by-first-bytes';
  /** Given back by `openUpload`; no part of the object. */
  readonly context: Readonly<Record<string, string>>;
}

export interface BackingUploadOptions extends CreateMultipartOptions {
  /** Absent: the upload is never opened. */
  readonly reading?: UploadReading;
}

export interface BackingPartOptions extends UploadPartOptions {
  readonly opensUpload?: FirstBytesTest;
}

export interface BackingPartCopyOptions extends UploadPartCopyOptions {
  readonly opensUpload?: FirstBytesTest;
}

export interface BackingWriteOptions extends WriteOptions {
  /** The upload under the same key that this object is made of: it ends with the commit, and its parts go. */
  readonly endsUpload?: string;
}

/** What completing an upload would store. */
export interface OpenedUpload {
  /** Bytes. */
  readonly size: number;
  /** As the upload was created. */
  readonly options: Omit<CreateMultipartOptions, 'checksumAlgorithm' | 'checksumType'>;
  readonly context: Readonly<Record<string, string>>;
  /** All parts in order; to be consumed or destroyed. */
  readonly body: Readable;
}

export interface BackingStore extends ObjectStore {
  putObject(
    bucket: string,
    key: string,
    body: Readable,
    options: BackingWriteOptions,
    signal: AbortSignal,
  ): Promise<WriteResult>;
  createMultipartUpload(
    bucket: string,
    key: string,
    options: BackingUploadOptions,
    signal: AbortSignal,
  ): Promise<MultipartUpload>;
  uploadPart(
    bucket: string,
    key: string,
    uploadId: string,
    partNumber: number,
    body: Readable,
    options: BackingPartOptions,
    signal: AbortSignal,
  ): Promise<PartInfo>;
  uploadPartCopy(
    source: CopySource & { readonly range?: ByteRange },
    bucket: string,
    key: string,
    uploadId: string,
    partNumber: number,
    options: BackingPartCopyOptions,
    signal: AbortSignal,
  ): Promise<PartInfo>;
  /**
   * Makes the checks of Complete and gives the bytes that it would store; the upload stays as it is.
   *
   * @returns undefined where the parts cannot be read before Complete
   * @throws S3Error as `completeMultipartUpload`; conditions are looked at by the write that follows
   */
  openUpload(
    bucket: string,
    key: string,
    uploadId: string,
    parts: readonly CompletedPart[],
    options: CompleteMultipartOptions,
    signal: AbortSignal,
  ): Promise<OpenedUpload | undefined>;
}
