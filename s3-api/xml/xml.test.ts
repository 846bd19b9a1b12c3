import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { buildXml } from './build.js';
import { childElements, childText, childTexts, parseXml } from './parse.js';

describe('XML', () => {
  it('that was built parses to the same texts', () => {
    fc.assert(
      fc.property(fc.array(fc.string({ unit: 'binary' }), { minLength: 1 }), (texts) => {
        const xml = buildXml({ root: 'Root', content: { Item: texts } });
        expect(childTexts(parseXml(xml, 'Root'), 'Item')).toEqual(texts);
      }),
    );
  });

  it('keeps white space, which keys may consist of', () => {
    const xml = buildXml({ root: 'Root', content: { Key: '  a \n ' } });
    expect(childText(parseXml(xml, 'Root'), 'Key')).toBe('  a \n ');
  });

  it('writes nothing for what is undefined or an empty list', () => {
    expect(buildXml({ root: 'Root', namespace: false, content: { A: undefined, B: [], C: '' } })).toBe(
      '<?xml version="1.0" encoding="UTF-8"?>\n<Root><C></C></Root>',
    );
  });

  it('reads one child and many alike, under any namespace prefix', () => {
    const one = parseXml('<s:Root xmlns:s="urn:x"><s:Item><s:A>1</s:A></s:Item></s:Root>', 'Root');
    expect(childElements(one, 'Item').map((item) => childText(item, 'A'))).toEqual(['1']);
    const two = parseXml('<Root><Item><A>1</A></Item><Item/></Root>', 'Root');
    expect(childElements(two, 'Item')).toHaveLength(2);
  });

  it('takes text for text: numbers and booleans stay strings', () => {
    const root = parseXml('<Root><A>1e3</A><B>true</B><C>007</C></Root>', 'Root');
    expect(['A', 'B', 'C'].map((name) => childText(root, name))).toEqual(['1e3', 'true', '007']);
  });

  it.each([
    ['an entity of its own', '<!DOCTYPE r [<!ENTITY a "b">]><Root>&a;</Root>'],
    ['another root', '<Other/>'],
    ['two roots', '<Root/><Root/>'],
    ['an open element', '<Root><A></Root>'],
    ['nothing', ''],
    ['text', 'hello'],
    ['great depth', `<Root>${'<a>'.repeat(100)}${'</a>'.repeat(100)}</Root>`],
    ['a dangerous name', '<Root><__proto__><a>1</a></__proto__></Root>'],
  ])('refuses %s', (_name, text) => {
    expect(() => parseXml(text, 'Root')).toThrow(expect.objectContaining({ code: 'MalformedXML' }));
  });
});
