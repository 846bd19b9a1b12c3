/** When a search may be given up: the picture was made by another decoder, and no budget will bring it to the floor. */

/** Steps over which progress is judged. */
const WINDOW = 10;
/**
 * How many times the gain of the last window may still follow. Pictures that the decoder made gained at most 3.5 times
 * what their first ten steps gave, in 110 more; pictures of other decoders gain half a decibel in ten and one in sixty.
 */
const GAINS_TO_COME = 4;
/** What bringing the step down at the end gives to a search that has stalled, in dB: 1.1 at most where it got stuck. */
const SETTLING_DB = 1.5;

/**
 * @param curve the best PSNR in dB before the first step and after each
 * @param floor the least PSNR that is of use, in dB
 */
export function outOfReach(curve: readonly number[], floor: number): boolean {
  const best = curve.at(-1) ?? 0;
  const before = curve.at(-1 - WINDOW);
  if (before === undefined || best >= floor) return false;
  return best + GAINS_TO_COME * (best - before) + SETTLING_DB < floor;
}
