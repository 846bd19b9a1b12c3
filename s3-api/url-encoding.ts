/** S3's URL encoding and decoding of keys. */
import { S3Error } from './errors.js';

/**
 * Encodes a key for `encoding-type=url`: like a form value, but `/` stays, and so do `-`, `_`, `.` and `*`; a space
 * becomes `+`.
 * @see https://docs.aws.amazon.com/AmazonS3/latest/API/API_ListObjectsV2.html (EncodingType)
 */
export function encodeListedKey(key: string): string {
  return encodeURIComponent(key)
    .replace(/[!'()~]/g, (char) => `%${char.charCodeAt(0).toString(16).toUpperCase()}`)
    .replaceAll('%2F', '/')
    .replaceAll('%20', '+');
}

/** Decodes a path's percent escapes. Throws InvalidURI for escapes that are not UTF-8. */
export function decodePath(path: string): string {
  const text = unescapedUtf8(path);
  if (!text.includes('%')) return text;
  try {
    return decodeURIComponent(text);
  } catch (cause) {
    throw new S3Error('InvalidURI', "Couldn't parse the specified URI.", { fields: { URI: path }, cause });
  }
}

/** Decodes a query's name or value: `+` is a space there. Throws InvalidURI for escapes that are not UTF-8. */
export function decodeQueryComponent(text: string): string {
  return decodePath(text.includes('+') ? text.replaceAll('+', ' ') : text);
}

/** Octets beyond ASCII that a client did not escape arrive as Latin-1 characters; where they are valid UTF-8 they mean it. */
export function unescapedUtf8(text: string): string {
  if (!/[\u0080-\u00ff]/.test(text)) return text;
  const decoded = Buffer.from(text, 'latin1').toString('utf8');
  return decoded.includes('\ufffd') ? text : decoded;
}
