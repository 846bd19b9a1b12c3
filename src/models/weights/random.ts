/** Seeded pseudo-random numbers for stand-in weights and check latents: the same on every machine. */

/** sfc32 of PractRand: 128 bits of state, passes BigCrush, integer arithmetic only. */
function generator(seed: number): () => number {
  let a = seed | 0;
  let b = 0x9e3779b9;
  let c = 0x243f6a88;
  let counter = 1;
  const next = (): number => {
    const sum = (((a + b) | 0) + counter) | 0;
    counter = (counter + 1) | 0;
    a = b ^ (b >>> 9);
    b = (c + (c << 3)) | 0;
    c = ((c << 21) | (c >>> 11)) + sum;
    c |= 0;
    return sum >>> 0;
  };
  // The first outputs still show the seed.
  for (let round = 0; round < 15; round += 1) next();
  return next;
}

/** `count` numbers, uniform in [-bound, bound). */
export function uniformNoise(count: number, bound: number, seed: number): Float32Array {
  const next = generator(seed);
  const values = new Float32Array(count);
  for (let index = 0; index < count; index += 1) values[index] = (next() / 2 ** 31 - 1) * bound;
  return values;
}

/** `count` numbers of about a standard normal distribution: sums of twelve uniform ones, free of library functions whose last bit varies. */
export function gaussianNoise(count: number, seed: number): Float32Array {
  const next = generator(seed);
  const values = new Float32Array(count);
  for (let index = 0; index < count; index += 1) {
    let sum = 0;
    for (let term = 0; term < 12; term += 1) sum += next() / 2 ** 32;
    values[index] = sum - 6;
  }
  return values;
}
