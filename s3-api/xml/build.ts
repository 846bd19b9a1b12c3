/** Writes S3's XML answers with fast-xml-builder. */
import Builder from 'fast-xml-builder';

/** An element's content: text, child elements by name, or repeated elements. `undefined` children are left out. */
export type XmlValue = string | number | boolean | Date | XmlElement | readonly XmlValue[];
export interface XmlElement {
  readonly [name: string]: XmlValue | undefined;
}

/** A document: its root's name and content. */
export interface XmlDocument {
  readonly root: string;
  readonly content: XmlElement | string;
  /** Errors carry no namespace. */
  readonly namespace?: false;
}

const NAMESPACE = 'http://s3.amazonaws.com/doc/2006-03-01/';
const DECLARATION = '<?xml version="1.0" encoding="UTF-8"?>\n';

const builder = new Builder({
  ignoreAttributes: false,
  attributeNamePrefix: '@',
  processEntities: false,
  suppressEmptyNode: false,
  tagValueProcessor: (_name, value) => escapeText(String(value)),
  attributeValueProcessor: (_name, value) => escapeText(String(value)),
});

/**
 * Escapes character data. Control characters, which XML 1.0 cannot hold even as references, are written as character
 * references all the same, as AWS does: a client that must read such keys asks for `encoding-type=url`.
 */
function escapeText(text: string): string {
  // eslint-disable-next-line no-control-regex -- control characters are what is looked for
  return text.replace(/[&<>"\u0000-\u0008\u000b\u000c\u000d\u000e-\u001f\u007f\ufffe\uffff]/g, (char) => {
    switch (char) {
      case '&':
        return '&amp;';
      case '<':
        return '&lt;';
      case '>':
        return '&gt;';
      case '"':
        return '&quot;';
      default:
        return `&#x${char.charCodeAt(0).toString(16)};`;
    }
  });
}

function plain(value: XmlValue): unknown {
  if (value instanceof Date) return formatTimestamp(value);
  if (Array.isArray(value)) return value.map(plain);
  if (typeof value !== 'object') return String(value);
  const element: Record<string, unknown> = {};
  for (const [name, child] of Object.entries(value as XmlElement))
    if (child !== undefined) element[name] = plain(child);
  return element;
}

/** ISO 8601 with milliseconds, as S3 writes times in XML. */
export function formatTimestamp(date: Date): string {
  return date.toISOString();
}

/** The document's text. An empty array writes no element at all. */
export function buildXml(document: XmlDocument): string {
  const content = typeof document.content === 'string' ? { '#text': document.content } : plain(document.content);
  const attributes = document.namespace === false ? {} : { '@xmlns': NAMESPACE };
  return DECLARATION + builder.build({ [document.root]: { ...attributes, ...(content as object) } });
}
