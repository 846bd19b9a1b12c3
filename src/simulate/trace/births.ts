/** When images are born: a rate over the trace's duration, changed by phases such as a surge of new content. */

/** A stretch of the trace in which images are born faster or slower. */
export interface BirthPhase {
  /** Where it begins and ends, as shares of the duration: 0 ≤ from < to ≤ 1. */
  readonly from: number;
  readonly to: number;
  /** Factor on the birth rate; 3 is a surge, 0.1 a lull. Phases that overlap multiply. */
  readonly births: number;
}

/** The time from 0 to 1 at which a share of all images has been born. */
export class BirthSchedule {
  readonly #edges: readonly number[];
  readonly #cumulative: readonly number[];
  #piece = 0;

  /** @throws RangeError where a phase is out of its bounds */
  constructor(phases: readonly BirthPhase[]) {
    for (const { from, to, births } of phases) {
      if (!(from >= 0 && from < to && to <= 1)) throw new RangeError('a phase needs 0 <= from < to <= 1');
      if (!(births > 0 && births <= 1000)) throw new RangeError("a phase's births must be over 0, at most 1000");
    }
    this.#edges = [...new Set([0, 1, ...phases.flatMap(({ from, to }) => [from, to])])].sort((a, b) => a - b);
    const cumulative = [0];
    let sum = 0;
    for (let i = 1; i < this.#edges.length; i++) {
      const [start = 0, end = 1] = this.#edges.slice(i - 1, i + 1);
      const rate = phases.reduce((product, p) => (p.from <= start && end <= p.to ? product * p.births : product), 1);
      sum += rate * (end - start);
      cumulative.push(sum);
    }
    this.#cumulative = cumulative.map((value) => value / sum);
  }

  /** @param share from 0 to 1, asked for in ascending order */
  timeOf(share: number): number {
    while (this.#piece < this.#edges.length - 2 && share > (this.#cumulative[this.#piece + 1] ?? 1)) this.#piece++;
    const [from = 0, to = 1] = this.#cumulative.slice(this.#piece, this.#piece + 2);
    const [start = 0, end = 1] = this.#edges.slice(this.#piece, this.#piece + 2);
    return start + ((share - from) / (to - from)) * (end - start);
  }
}
