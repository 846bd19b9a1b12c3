/** The `Tagging` document of objects and buckets. */
import { errors } from '../errors.js';
import { checkedTags } from '../headers/metadata.js';
import type { TagSet } from '../object-store.js';
import type { XmlDocument } from '../xml/build.js';
import { childElements, parseXml, requiredText } from '../xml/parse.js';

export const MAX_TAGGING_BYTES = 256 * 1024;

/** Throws MalformedXML, InvalidTag or BadRequest. `maximum`: 10 for objects, 50 for buckets. */
export function parseTagging(xml: string, maximum: number): TagSet {
  const sets = childElements(parseXml(xml, 'Tagging'), 'TagSet');
  const [set] = sets;
  if (set === undefined || sets.length > 1) throw errors.malformedXml();
  return checkedTags(
    childElements(set, 'Tag').map((tag) => [requiredText(tag, 'Key'), requiredText(tag, 'Value')] as const),
    maximum,
  );
}

export function taggingDocument(tags: TagSet): XmlDocument {
  return {
    root: 'Tagging',
    content: { TagSet: { Tag: Object.entries(tags).map(([Key, Value]) => ({ Key, Value })) } },
  };
}
