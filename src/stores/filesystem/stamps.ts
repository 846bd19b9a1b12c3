/** Modification times that no two bodies of a process share, so that a file's time names the version it holds. */
import type { FileHandle } from 'node:fs/promises';

/** A double holds today's seconds to a quarter of a microsecond. */
const STEP_US = 1;

export class Stamps {
  private lastUs = 0;

  /**
   * Gives the file a modification time later than that of every file before. Returns what the file system made of it:
   * `stamp` in ns as a decimal string, `lastModified` in ms since the epoch.
   */
  async put(handle: FileHandle): Promise<{ readonly stamp: string; readonly lastModified: number }> {
    this.lastUs = Math.max(Date.now() * 1000, this.lastUs + STEP_US);
    const seconds = this.lastUs / 1e6;
    await handle.utimes(seconds, seconds);
    const stamp = (await handle.stat({ bigint: true })).mtimeNs;
    return { stamp: String(stamp), lastModified: Number(stamp / 1_000_000n) };
  }
}
