/** Vitest's global set-up: a run starts with nothing observed. */
import { forgetObservations } from './observations.js';

export default forgetObservations;
