/** What the store is made of, opened in the order that makes a crash's leftovers disappear first. */
import { mkdir } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { Buckets } from './buckets.js';
import { DirectorySyncs } from './durable-files.js';
import { MetadataIndex } from './metadata-index.js';
import { MultipartUploads } from './multipart-uploads.js';
import { ObjectCommits } from './object-commits.js';
import { ObjectReader } from './object-reader.js';
import { StagingArea } from './staging-area.js';
import { Stamps } from './stamps.js';
import { UploadCatalogue } from './upload-catalogue.js';

export interface StoreParts {
  readonly index: MetadataIndex;
  readonly staging: StagingArea;
  readonly stamps: Stamps;
  readonly buckets: Buckets;
  readonly commits: ObjectCommits;
  readonly reader: ObjectReader;
  readonly catalogue: UploadCatalogue;
  readonly uploads: MultipartUploads;
}

/** Opens the store in `directory`, tidies up what a crash left and removes temporaries of dead processes. */
export async function openParts(directory: string): Promise<StoreParts> {
  const root = resolve(directory);
  const internal = join(root, '.latentbox', 'objects');
  await mkdir(internal, { recursive: true });
  const directories = new DirectorySyncs();
  const index = await MetadataIndex.open(join(internal, 'index.lmdb'));
  const staging = await StagingArea.open(join(internal, 'staging'));
  const stamps = new Stamps();
  const commits = new ObjectCommits(root, index, directories);
  const catalogue = new UploadCatalogue(join(internal, 'uploads'), index, directories);
  await commits.recover();
  await catalogue.recover();
  return {
    index,
    staging,
    stamps,
    buckets: new Buckets(root, index, directories),
    commits,
    reader: new ObjectReader(index, commits),
    catalogue,
    uploads: new MultipartUploads(catalogue, staging, stamps),
  };
}

/** Waits for commits under way and releases what `openParts` took. */
export async function closeParts({ commits, staging, index }: StoreParts): Promise<void> {
  await commits.close();
  await staging.close();
  await index.close();
}
