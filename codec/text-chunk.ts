/** Text as a PNG chunk (PNG third edition, 11.3.3). */
import { CodecError } from './errors.js';
import type { PngAncillaryChunk } from './png/index.js';

const KEYWORD = /^[\x21-\x7e](?:[\x20-\x7e]{0,77}[\x21-\x7e])?$/;
/** What tEXt can hold: Latin-1 without its control characters except line feed, and tab as every writer has it. */
const LATIN1_TEXT = /^[\t\n\x20-\x7e\xa0-\xff]*$/;

/**
 * `tEXt` where the text is Latin-1, as ComfyUI and A1111 write it, else uncompressed `iTXt`.
 *
 * @throws CodecError when the keyword is not 1 to 79 printable ASCII characters, or the text holds NUL
 */
export function pngTextChunk(keyword: string, text: string): PngAncillaryChunk {
  if (!KEYWORD.test(keyword))
    throw new CodecError('png', `keyword ${JSON.stringify(keyword)}`, 'must be 1 to 79 printable ASCII characters');
  if (text.includes('\0')) throw new CodecError('png', `text ${JSON.stringify(keyword)}`, 'holds a NUL character');
  if (LATIN1_TEXT.test(text)) return { type: 'tEXt', data: Buffer.from(`${keyword}\0${text}`, 'latin1') };
  // Compression flag and method 0, then empty language tag and translated keyword, each ended by NUL.
  return { type: 'iTXt', data: Buffer.from(`${keyword}\0\0\0\0\0${text}`) };
}
