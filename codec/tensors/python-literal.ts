/** The small part of Python's literal syntax that a .npy header is written in: one flat dictionary. */

export type PythonValue = string | boolean | readonly number[];

const SPACE = /[ \t\n\f]*/y;
const TEXT = /'([^'\\\n]*)'|"([^"\\\n]*)"/y;
const WORD = /True|False/y;
const WHOLE = /(\d{1,16})L?/y;

class Scanner {
  position = 0;
  constructor(private readonly source: string) {}

  match(pattern: RegExp): RegExpExecArray | undefined {
    SPACE.lastIndex = this.position;
    SPACE.exec(this.source);
    pattern.lastIndex = SPACE.lastIndex;
    const found = pattern.exec(this.source);
    if (!found) return undefined;
    this.position = pattern.lastIndex;
    return found;
  }

  take(character: string): boolean {
    SPACE.lastIndex = this.position;
    SPACE.exec(this.source);
    if (this.source[SPACE.lastIndex] !== character) return false;
    this.position = SPACE.lastIndex + 1;
    return true;
  }

  text(): string | undefined {
    const found = this.match(TEXT);
    return found && (found[1] ?? found[2] ?? '');
  }

  get atEnd(): boolean {
    return this.source.slice(this.position).trim() === '';
  }
}

/**
 * Reads `{'key': 'text' | True | False | (1, 2, ...), ...}`.
 *
 * @returns undefined where the text is anything else, a key occurs twice, or something follows the dictionary
 */
export function parsePythonDictionary(source: string): ReadonlyMap<string, PythonValue> | undefined {
  const scanner = new Scanner(source);
  const entries = new Map<string, PythonValue>();
  if (!scanner.take('{')) return undefined;
  while (!scanner.take('}')) {
    const key = scanner.text();
    if (key === undefined || entries.has(key) || !scanner.take(':')) return undefined;
    const value = parseValue(scanner);
    if (value === undefined) return undefined;
    entries.set(key, value);
    if (!scanner.take(',')) {
      if (!scanner.take('}')) return undefined;
      break;
    }
  }
  return scanner.atEnd ? entries : undefined;
}

function parseValue(scanner: Scanner): PythonValue | undefined {
  const text = scanner.text();
  if (text !== undefined) return text;
  const word = scanner.match(WORD);
  if (word) return word[0] === 'True';
  return scanner.take('(') ? parseTuple(scanner) : undefined;
}

function parseTuple(scanner: Scanner): readonly number[] | undefined {
  const items: number[] = [];
  let separated = false;
  while (!scanner.take(')')) {
    const item = scanner.match(WHOLE);
    if (!item || (items.length > 0 && !separated)) return undefined;
    items.push(Number(item[1]));
    separated = scanner.take(',');
  }
  // Python reads (3) as a number: a tuple of one needs its comma.
  return items.length === 1 && !separated ? undefined : items;
}
