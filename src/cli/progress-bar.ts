/** One line on a terminal that says how far a long command is; silent where stderr is no terminal. */
import { formatSeconds } from '../report/quantities.js';

export interface BarState {
  /** Units of work done, and their number in all; absent while it is not known. */
  readonly done: number;
  readonly total?: number;
  /** Said behind the bar. */
  readonly note?: string;
}

const WIDTH = 28;
const REDRAW_MS = 100;
/** Nothing is drawn for what takes no longer than this. */
const QUIET_MS = 1000;
const CLEAR_LINE = '\r\x1b[K';

export class ProgressBar {
  readonly #start: number;
  #drawnAt = -Infinity;
  #drawn = false;

  constructor(
    private readonly out: NodeJS.WriteStream,
    /** Milliseconds, monotonic. */
    private readonly clock: () => number = () => performance.now(),
  ) {
    this.#start = clock();
  }

  update(state: BarState): void {
    const now = this.clock();
    if (!this.out.isTTY || now - this.#start < QUIET_MS || now - this.#drawnAt < REDRAW_MS) return;
    this.#drawnAt = now;
    this.#drawn = true;
    this.out.write(CLEAR_LINE + barLine(state, (now - this.#start) / 1000).slice(0, this.out.columns - 1));
  }

  /** Takes the bar away, so that what follows starts on an empty line. */
  end(): void {
    if (this.#drawn) this.out.write(CLEAR_LINE);
  }
}

/** @param seconds since the work began */
export function barLine({ done, total, note }: BarState, seconds: number): string {
  const behind = note === undefined ? '' : `  ${note}`;
  if (total === undefined || total === 0) return `${done.toLocaleString('en')} done${behind}`;
  const share = Math.min(done / total, 1);
  const filled = Math.round(share * WIDTH);
  const left = share > 0 ? ` ${formatSeconds((seconds * (1 - share)) / share)} left` : '';
  const bar = `[${'='.repeat(filled)}${' '.repeat(WIDTH - filled)}]`;
  return `${bar} ${(share * 100).toFixed(0).padStart(3)} %${left}${behind}`;
}
