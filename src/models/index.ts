/** The models part's face to the rest of the gateway. */
export type { InstalledModel, LatentStatistics, PreparedGraph } from './installed-model.js';
export { ModelError, type ModelErrorReason } from './model-error.js';
export { loadModel, loadModels, type LoadModelsOptions } from './load-models.js';
export { MODEL_PRESETS, isPresetName, type ModelPreset, type PresetName } from './presets.js';
export {
  addModel,
  checkModel,
  listModels,
  summary,
  type AddModelOptions,
  type ModelCheck,
  type ModelSummary,
} from './registry.js';
export { DECODER_PARAMETERS, standInParts, writeModelFolder, type StandInFamily } from './write-folder.js';
