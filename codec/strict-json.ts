/** JSON objects from untrusted files: UTF-8 checked, and a key that occurs twice is an error instead of a choice. */
import { CodecError, type CodecFormat } from './errors.js';

export type JsonObject = Readonly<Record<string, unknown>>;

const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });
const STRING = /"(?:[^"\\]|\\.)*"/sy;

/**
 * @throws CodecError naming `field` when the bytes are no UTF-8, no JSON object, or hold a key twice in one object
 */
export function parseStrictJson(format: CodecFormat, field: string, bytes: Uint8Array): JsonObject {
  const text = attempt(format, field, 'is no UTF-8 text', () => utf8.decode(bytes));
  const value = attempt(format, field, 'is no JSON', () => JSON.parse(text) as unknown);
  if (!isJsonObject(value)) throw new CodecError(format, field, 'is no JSON object');
  const repeated = findRepeatedKey(text);
  if (repeated !== undefined) throw new CodecError(format, `${field}.${repeated}`, 'occurs twice');
  return value;
}

export function isJsonObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function attempt<T>(format: CodecFormat, field: string, problem: string, action: () => T): T {
  try {
    return action();
  } catch (error) {
    throw new CodecError(format, field, problem, { cause: error });
  }
}

/** Walks text that is known to be valid JSON; a string followed by a colon is a key of the innermost open object. */
function findRepeatedKey(text: string): string | undefined {
  const open: (Set<string> | undefined)[] = [];
  for (let position = 0; position < text.length; position++) {
    const character = text[position];
    if (character === '{') open.push(new Set());
    else if (character === '[') open.push(undefined);
    else if (character === '}' || character === ']') open.pop();
    else if (character === '"') {
      STRING.lastIndex = position;
      const token = STRING.exec(text)?.[0] ?? '""';
      position += token.length - 1;
      const keys = open.at(-1);
      if (!keys || !followedByColon(text, position + 1)) continue;
      const key = JSON.parse(token) as string;
      if (keys.has(key)) return key;
      keys.add(key);
    }
  }
  return undefined;
}

function followedByColon(text: string, from: number): boolean {
  let position = from;
  while (' \t\r\n'.includes(text[position] ?? 'x')) position++;
  return text[position] === ':';
}
