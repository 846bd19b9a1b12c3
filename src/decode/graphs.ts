/** The graphs of a model by name. */
import type { InstalledModel, PreparedGraph } from '../models/installed-model.js';

export type GraphKind = 'decoder' | 'encoder' | 'decoderVjp' | 'decoderFit';

/** @throws RangeError when the model has no such graph */
export function graphOf(model: InstalledModel, kind: GraphKind): PreparedGraph {
  const graph = model[kind];
  if (graph === undefined) throw new RangeError(`the model "${model.name}" has no ${kind} graph`);
  return graph;
}
