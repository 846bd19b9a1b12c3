/** A moving average that starts as the plain mean of the first observations, so that a first guess fades at once. */
export class MovingAverage {
  #value: number;
  #count = 0;

  /**
   * @param value assumed until the first observation
   * @param weight of a new observation once there are `1 / weight` of them
   */
  constructor(
    value: number,
    private readonly weight: number,
  ) {
    this.#value = value;
  }

  get value(): number {
    return this.#value;
  }

  observe(value: number): void {
    this.#count += 1;
    this.#value += Math.max(this.weight, 1 / this.#count) * (value - this.#value);
  }
}
