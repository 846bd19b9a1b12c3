/** Reads clients' XML documents: no entities beyond XML's five, bounded depth, everything text until a guard read it. */
import { XMLParser, XMLValidator } from 'fast-xml-parser';
import { errors } from '../errors.js';

/** A parsed element: text, or children by name (repeated ones as they came). */
export type ParsedXml = string | ParsedElement | readonly ParsedXml[];
export interface ParsedElement {
  readonly [name: string]: ParsedXml | undefined;
}

const MAX_DEPTH = 16;
const NAMED_ENTITIES: Readonly<Record<string, string>> = { lt: '<', gt: '>', amp: '&', quot: '"', apos: "'" };

const parser = new XMLParser({
  ignoreAttributes: false,
  attributeNamePrefix: '@',
  removeNSPrefix: true,
  parseTagValue: false,
  parseAttributeValue: false,
  trimValues: false,
  processEntities: false,
  maxNestedTags: MAX_DEPTH,
  ignoreDeclaration: true,
  ignorePiTags: true,
  tagValueProcessor: (_name, value) => decodeEntities(value),
  attributeValueProcessor: (_name, value) => decodeEntities(value),
});

function decodeEntities(text: string): string {
  return text.includes('&')
    ? text.replace(
        /&(?:#x([0-9a-f]{1,6})|#(\d{1,7})|([a-z]+));/gi,
        (whole, hex?: string, decimal?: string, name = '') => {
          if (hex === undefined && decimal === undefined) return NAMED_ENTITIES[name as string] ?? whole;
          const point = hex === undefined ? Number(decimal) : Number.parseInt(hex, 16);
          if (point > 0x10ffff) throw errors.malformedXml();
          return String.fromCodePoint(point);
        },
      )
    : text;
}

/**
 * Parses a document whose root is one of `roots` and gives the root's children. Throws MalformedXML for anything that
 * is not well-formed, declares a DOCTYPE (S3 documents have none; entity bombs need one) or has another root.
 */
export function parseXml(text: string, ...roots: readonly string[]): ParsedElement {
  if (/<!DOCTYPE/i.test(text)) throw errors.malformedXml();
  let document: unknown;
  try {
    // eslint-disable-next-line @typescript-eslint/no-deprecated -- its successor is the same code with seven packages around it
    if (XMLValidator.validate(text) !== true) throw errors.malformedXml();
    document = parser.parse(text);
  } catch (cause) {
    throw errors.malformedXml(cause);
  }
  const root = roots.find((name) => isElement(document) && document[name] !== undefined);
  const content = root === undefined || !isElement(document) ? undefined : document[root];
  if (typeof content === 'string') return {};
  if (!isElement(content)) throw errors.malformedXml();
  return content;
}

function isElement(value: unknown): value is ParsedElement {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** The child elements of that name, however many. Text where an element is expected is MalformedXML, unless it is blank. */
export function childElements(parent: ParsedElement, name: string): readonly ParsedElement[] {
  const value = parent[name];
  if (value === undefined) return [];
  return (Array.isArray(value) ? (value as readonly ParsedXml[]) : [value]).map((each) => {
    if (isElement(each)) return each;
    if (typeof each === 'string' && each.trim() === '') return {};
    throw errors.malformedXml();
  });
}

/** The text of every child of that name. */
export function childTexts(parent: ParsedElement, name: string): readonly string[] {
  const value = parent[name];
  if (value === undefined) return [];
  return (Array.isArray(value) ? (value as readonly ParsedXml[]) : [value]).map((each) => {
    if (typeof each === 'string') return each;
    const text = isElement(each) ? each['#text'] : undefined;
    if (typeof text === 'string') return text;
    throw errors.malformedXml();
  });
}

/** The text of the one child of that name; MalformedXML where it comes twice. */
export function childText(parent: ParsedElement, name: string): string | undefined {
  const texts = childTexts(parent, name);
  if (texts.length > 1) throw errors.malformedXml();
  return texts[0];
}

/** As {@link childText}, MalformedXML where it is missing. */
export function requiredText(parent: ParsedElement, name: string): string {
  const text = childText(parent, name);
  if (text === undefined) throw errors.malformedXml();
  return text;
}
