/** The journal of a migration that many processes do together: a key-value bucket in NATS JetStream. */
import type { KV } from '@nats-io/kv';
import { entryDigest, type Journal, type JournalEntry } from '../journal.js';
import { message, parseJournalEntry } from './messages.js';

export class NatsJournal implements Journal {
  constructor(private readonly entries: KV) {}

  async get(key: string): Promise<JournalEntry | undefined> {
    const entry = await this.entries.get(natsKey(key));
    return entry?.operation === 'PUT' ? parseJournalEntry(entry.value) : undefined;
  }

  async put(entry: JournalEntry): Promise<void> {
    await this.entries.put(natsKey(entry.key), message(entry));
  }

  async delete(key: string): Promise<void> {
    await this.entries.delete(natsKey(key));
  }

  async *all(): AsyncGenerator<JournalEntry, void, undefined> {
    for await (const { operation, value } of await this.entries.history())
      if (operation === 'PUT') yield parseJournalEntry(value);
  }

  /** The connection is its opener's. */
  close(): Promise<void> {
    return Promise.resolve();
  }
}

function natsKey(key: string): string {
  return entryDigest(key).toString('hex');
}
