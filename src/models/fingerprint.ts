/** A model's fingerprint: equal exactly where the same latent must decode to the same picture on the same runtime. */
import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { pipeline } from 'node:stream/promises';
import { describeCause, ModelError } from './model-error.js';

/**
 * Lower-case hex SHA-256 over labelled parts.
 * @param parts text, or the path of a file whose content counts.
 * @throws ModelError `missing-file`.
 */
export async function fingerprint(
  parts: readonly (
    { readonly label: string; readonly text: string } | { readonly label: string; readonly file: string }
  )[],
): Promise<string> {
  const whole = createHash('sha256');
  for (const part of parts) {
    // Each part is hashed by itself, so that no content can be mistaken for a label.
    const hash = createHash('sha256');
    if ('text' in part) hash.update(part.text);
    else {
      try {
        await pipeline(createReadStream(part.file), hash);
      } catch (cause) {
        throw new ModelError('missing-file', part.file, `cannot be read: ${describeCause(cause)}`, { cause });
      }
    }
    whole.update(`${part.label}\n${hash.digest('hex')}\n`);
  }
  return whole.digest('hex');
}
