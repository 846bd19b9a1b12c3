/**
 * Synthetic requests like those of the published production workload, in the order of time, from a seed alone.
 *
 * Each image is a small process: it is born, seen at once, and seen again at ages drawn from its popularity tier's
 * distribution. The order statistics of those ages can be drawn one after the other (Rényi: the gaps of exponential
 * order statistics are independent), so an image needs a few numbers of state however often it is seen. A calendar of
 * time slots holds each living image once, at its next view. Memory follows the catalogue, about 2 bytes a request.
 */
import { BirthSchedule, type BirthPhase } from './births.js';
import { TIERS, tierAtRank, viewsAtPlace } from './popularity.js';
import { hashUnit, Permutation, RandomSequence } from './random.js';
import { ObjectSizes, PUBLISHED_SIZES, type SizeOptions } from './sizes.js';
import { BATCH_REQUESTS, BatchWriter, type TraceBatch } from './trace.js';

export interface SyntheticOptions extends SizeOptions {
  /** How many requests; at least 1. */
  readonly requests: number;
  readonly seed: number;
  /** Length of the trace in seconds, reached within a few per cent: the last request ends it. */
  readonly duration: number;
  readonly phases: readonly BirthPhase[];
}

const DAY = 86_400;
export const PUBLISHED_MONTHS = 35;
export const MONTH_SECONDS = (365.25 / 12) * DAY;
export const PUBLISHED_VIEWS_PER_IMAGE = 22;

export const SYNTHETIC_DEFAULTS: SyntheticOptions = {
  ...PUBLISHED_SIZES,
  requests: 1_000_000,
  seed: 1,
  duration: PUBLISHED_MONTHS * MONTH_SECONDS,
  phases: [],
};

/** Requests that a slot of the calendar holds on average: a heap of this size stays in the processor's cache. */
const REQUESTS_PER_SLOT = 128;
/** Views may come this much later than the nominal end before they share one last slot. */
const CALENDAR_MARGIN = 1.25;
const NOTHING = -1;
const RANK_SALT = 0x2545f491;
const ROUNDING_SALT = 0x1337cafe;

/** How many images a trace of so many requests has. */
export function catalogueSize(requests: number): number {
  return Math.max(1, Math.round(requests / PUBLISHED_VIEWS_PER_IMAGE));
}

/**
 * The requests, as batches that reuse one set of arrays.
 *
 * @throws RangeError where an option is out of its bounds
 */
export function* generateRequests(options: SyntheticOptions): Generator<TraceBatch, void> {
  const { requests } = options;
  const batch = new BatchWriter(Math.min(BATCH_REQUESTS, requests));
  const images = new LivingImages(options);
  for (let emitted = 0; emitted < requests; emitted++) {
    const object = images.next();
    batch.add(images.time, object, images.imageBytes[object] ?? 0, images.latentBytes[object] ?? 0);
    if (batch.full) {
      yield batch;
      batch.length = 0;
    }
  }
  if (batch.length > 0) yield batch;
}

/** All images between their birth and their last view, by the time of their next view. */
class LivingImages {
  /** Time of the view that `next` returned, in seconds. */
  time = 0;

  readonly #random: RandomSequence;
  readonly #ranks: Permutation;
  readonly #sizes: ObjectSizes;
  readonly #births: BirthSchedule;
  readonly #catalogue: number;
  readonly #duration: number;
  readonly #seed: number;

  readonly imageBytes: Uint32Array;
  readonly latentBytes: Uint32Array;

  readonly #viewsLeft: Uint32Array;
  readonly #tier: Uint8Array;
  readonly #birth: Float64Array;
  /** Next view. */
  readonly #due: Float64Array;
  /** -ln of the share of ages that are still to come, at the last view. */
  readonly #hazard: Float64Array;

  /** First image of each slot's list, and the next one in the list, by image. */
  readonly #slots: Int32Array;
  readonly #link: Int32Array;
  readonly #slotSeconds: number;
  #slot = -1;
  #born = 0;
  #nextBirth: number;

  /** Binary heap of the images due in the current slot. */
  #heap = new Uint32Array(4 * REQUESTS_PER_SLOT);
  #heapSize = 0;

  constructor(options: SyntheticOptions) {
    const { requests, seed, duration, phases } = options;
    if (!(Number.isSafeInteger(requests) && requests >= 1)) throw new RangeError('requests must be at least 1');
    if (!(duration > 0)) throw new RangeError('duration must be over 0 seconds');
    this.#catalogue = catalogueSize(requests);
    this.#duration = duration;
    this.#seed = seed;
    this.#random = new RandomSequence(seed);
    this.#ranks = new Permutation(this.#catalogue, seed ^ RANK_SALT);
    this.#sizes = new ObjectSizes(seed, options);
    this.imageBytes = new Uint32Array(this.#catalogue);
    this.latentBytes = new Uint32Array(this.#catalogue);
    this.#births = new BirthSchedule(phases);
    this.#viewsLeft = new Uint32Array(this.#catalogue);
    this.#tier = new Uint8Array(this.#catalogue);
    this.#birth = new Float64Array(this.#catalogue);
    this.#due = new Float64Array(this.#catalogue);
    this.#hazard = new Float64Array(this.#catalogue);
    this.#link = new Int32Array(this.#catalogue);
    const slots = Math.max(1, Math.ceil((requests / REQUESTS_PER_SLOT) * CALENDAR_MARGIN));
    this.#slots = new Int32Array(slots + 1).fill(NOTHING);
    this.#slotSeconds = (duration * CALENDAR_MARGIN) / slots;
    this.#nextBirth = this.#birthTime();
  }

  /** The image that is seen next. */
  next(): number {
    while (this.#heapSize === 0) this.#openNextSlot();
    const image = this.#heap[0] ?? 0;
    this.time = this.#due[image] ?? 0;
    const left = (this.#viewsLeft[image] ?? 1) - 1;
    this.#viewsLeft[image] = left;
    if (left === 0) {
      this.#removeRoot();
      return image;
    }
    this.#due[image] = this.#nextView(image, left);
    if (this.#slotOf(image) <= this.#slot) {
      this.#sink(0);
    } else {
      this.#removeRoot();
      this.#intoSlot(image);
    }
    return image;
  }

  #nextView(image: number, left: number): number {
    const hazard = (this.#hazard[image] ?? 0) - Math.log(this.#random.unit()) / left;
    this.#hazard[image] = hazard;
    const { medianAge, spread } = TIERS[(this.#tier[image] ?? 0) as 0 | 1 | 2];
    return (this.#birth[image] ?? 0) + medianAge * Math.exp(spread * Math.log(Math.expm1(hazard)));
  }

  #openNextSlot(): void {
    this.#slot += 1;
    for (let image = this.#slots[this.#slot] ?? NOTHING; image !== NOTHING; image = this.#link[image] ?? NOTHING)
      this.#intoHeap(image);
    const end = this.#slot === this.#slots.length - 1 ? Infinity : (this.#slot + 1) * this.#slotSeconds;
    while (this.#born < this.#catalogue && this.#nextBirth < end) {
      const image = this.#born;
      this.#bear(image, this.#nextBirth);
      this.#intoHeap(image);
      this.#born += 1;
      this.#nextBirth = this.#birthTime();
    }
  }

  #birthTime(): number {
    return this.#duration * this.#births.timeOf((this.#born + this.#random.unit() * 0.999) / this.#catalogue);
  }

  #bear(image: number, time: number): void {
    const place = this.#ranks.at(image);
    const views = viewsAtPlace(place, this.#catalogue);
    this.#viewsLeft[image] = Math.floor(views + hashUnit(this.#seed ^ ROUNDING_SALT, image));
    this.#tier[image] = tierAtRank((place + 0.5) / this.#catalogue);
    this.imageBytes[image] = this.#sizes.imageBytes(image);
    this.latentBytes[image] = this.#sizes.latentBytes(image);
    this.#birth[image] = time;
    this.#due[image] = time;
  }

  #slotOf(image: number): number {
    return Math.min(this.#slots.length - 1, Math.floor((this.#due[image] ?? 0) / this.#slotSeconds));
  }

  #intoSlot(image: number): void {
    const slot = this.#slotOf(image);
    this.#link[image] = this.#slots[slot] ?? NOTHING;
    this.#slots[slot] = image;
  }

  #intoHeap(image: number): void {
    if (this.#heapSize === this.#heap.length) {
      const larger = new Uint32Array(2 * this.#heap.length);
      larger.set(this.#heap);
      this.#heap = larger;
    }
    const due = this.#due[image] ?? 0;
    let at = this.#heapSize++;
    while (at > 0) {
      const parent = (at - 1) >> 1;
      const above = this.#heap[parent] ?? 0;
      if ((this.#due[above] ?? 0) <= due) break;
      this.#heap[at] = above;
      at = parent;
    }
    this.#heap[at] = image;
  }

  #removeRoot(): void {
    this.#heapSize -= 1;
    this.#heap[0] = this.#heap[this.#heapSize] ?? 0;
    if (this.#heapSize > 1) this.#sink(0);
  }

  #sink(from: number): void {
    const heap = this.#heap;
    const due = this.#due;
    const size = this.#heapSize;
    const image = heap[from] ?? 0;
    const time = due[image] ?? 0;
    let at = from;
    for (;;) {
      let child = 2 * at + 1;
      if (child >= size) break;
      if (child + 1 < size && (due[heap[child + 1] ?? 0] ?? 0) < (due[heap[child] ?? 0] ?? 0)) child += 1;
      const below = heap[child] ?? 0;
      if ((due[below] ?? 0) >= time) break;
      heap[at] = below;
      at = child;
    }
    heap[at] = image;
  }
}
