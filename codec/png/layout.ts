/** What pixels the writer takes, and how a picture is cut into strips that are compressed on their own. */
import { CodecError } from '../errors.js';

/** How much time the writer may spend on a smaller file: `fast` is for serving, the others for files that are kept. */
export type PngEffort = 'fast' | 'small' | 'smallest';

/** Interleaved 8-bit rows from the top, without gaps: `width * height * channels` bytes. */
export interface PngLayout {
  readonly width: number;
  readonly height: number;
  /** 3: RGB, 4: RGBA with straight alpha. */
  readonly channels: 3 | 4;
  /** Default `fast`. */
  readonly effort?: PngEffort;
}

/** Rows that are filtered and compressed independently of all others, except that filters read the row above. */
export interface PngStrip {
  readonly firstRow: number;
  readonly rowCount: number;
}

/** Below this many pixel bytes a second strip costs more (tables, a worker's round trip) than it saves. */
const STRIP_BYTES = 1 << 20;

const MAX_SIDE = 2 ** 31 - 1;

/** Above this a row and its filter candidates would not fit the 32-bit memory of the encoder. */
const MAX_ROW_BYTES = 1 << 27;

/** @throws CodecError naming the field when the pixels are not what the layout says */
export function checkLayout(pixels: Uint8Array, layout: PngLayout): void {
  for (const side of ['width', 'height'] as const) {
    const value = layout[side];
    if (!Number.isInteger(value) || value < 1 || value > MAX_SIDE) {
      throw new CodecError('png', side, `${value} is not an integer from 1 to 2^31 - 1`);
    }
  }
  if (layout.width * layout.channels > MAX_ROW_BYTES) {
    throw new CodecError('png', 'width', `a row of ${layout.width} pixels is over ${MAX_ROW_BYTES} bytes`);
  }
  const expected = layout.width * layout.height * layout.channels;
  if (pixels.byteLength !== expected) {
    throw new CodecError('png', 'pixels', `${pixels.byteLength} bytes where the layout has ${expected}`);
  }
}

/**
 * Cuts a picture into strips of about a mebibyte of pixels. The cut depends on the layout alone, so the bytes of a file
 * are the same on any number of threads.
 */
export function planPngStrips(layout: PngLayout): readonly PngStrip[] {
  const rowBytes = layout.width * layout.channels;
  const strips = Math.max(1, Math.min(layout.height, Math.round((rowBytes * layout.height) / STRIP_BYTES)));
  const rows = Math.ceil(layout.height / strips);
  const plan: PngStrip[] = [];
  for (let firstRow = 0; firstRow < layout.height; firstRow += rows) {
    plan.push({ firstRow, rowCount: Math.min(rows, layout.height - firstRow) });
  }
  return plan;
}
