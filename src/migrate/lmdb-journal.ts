/** The journal of a migration that one process does, in an embedded database in the state folder. */
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { open, type RootDatabase } from 'lmdb';
import { entryDigest, type Journal, type JournalEntry } from './journal.js';

export class LmdbJournal implements Journal {
  private constructor(
    readonly directory: string,
    private readonly entries: RootDatabase<JournalEntry, Buffer>,
  ) {}

  /** @param state the gateway's state folder; each job has a folder of its own in it */
  static async open(state: string, job: string): Promise<LmdbJournal> {
    const directory = join(state, 'migrations', job);
    await mkdir(directory, { recursive: true });
    return new LmdbJournal(directory, open({ path: join(directory, 'journal.lmdb'), keyEncoding: 'binary' }));
  }

  get(key: string): Promise<JournalEntry | undefined> {
    return Promise.resolve(this.entries.get(entryDigest(key)));
  }

  async put(entry: JournalEntry): Promise<void> {
    await this.entries.put(entryDigest(entry.key), entry);
  }

  async delete(key: string): Promise<void> {
    await this.entries.remove(entryDigest(key));
  }

  async *all(): AsyncGenerator<JournalEntry, void, undefined> {
    for (const { value } of this.entries.getRange()) yield value;
  }

  async close(): Promise<void> {
    await this.entries.close();
  }
}
