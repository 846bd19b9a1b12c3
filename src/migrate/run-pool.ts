/** Works through an endless supply with a fixed number of hands; the first unexpected error stops all of them. */

/**
 * @param concurrency items in work at once
 * @param work rejects only for what must end the whole run
 */
export async function runPool<Item>(
  items: AsyncIterator<Item>,
  concurrency: number,
  work: (item: Item) => Promise<void>,
): Promise<void> {
  let stopped = false;
  const hand = async (): Promise<void> => {
    while (!stopped) {
      const next = await items.next();
      if (next.done) return;
      await work(next.value);
    }
  };
  const hands = Array.from({ length: concurrency }, () =>
    hand().catch((error: unknown) => {
      stopped = true;
      throw error;
    }),
  );
  const results = await Promise.allSettled(hands);
  await items.return?.();
  const failed = results.find((result) => result.status === 'rejected');
  if (failed) throw failed.reason;
}
