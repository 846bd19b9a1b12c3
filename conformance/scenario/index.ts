/** What every client goes through, in order: rows of docs/s3-compatibility.md. */
import { folderSteps } from './folders.js';
import { keySteps } from './keys.js';
import { linkSteps } from './links.js';
import { emptyBucketStep, objectSteps } from './objects.js';
import type { Step } from './step.js';

export const SCENARIO: readonly Step[] = [...objectSteps, ...linkSteps, ...folderSteps, ...keySteps];
export { emptyBucketStep };
