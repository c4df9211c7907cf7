/** Messages to Temporal under way at a time. */
const LANES = 40;

/** Runs `work` on all items, a bounded number at a time; rejects with the first failure once all under way have ended. */
export async function forEachLimit<T>(items: readonly T[], work: (item: T) => Promise<void>): Promise<void> {
  let next = 0;
  const failures: unknown[] = [];
  const lane = async (): Promise<void> => {
    while (next < items.length && failures.length === 0) {
      const item = items[next++] as T;
      await work(item).catch((error: unknown) => failures.push(error));
    }
  };
  await Promise.all(Array.from({ length: Math.min(LANES, items.length) }, lane));
  if (failures.length > 0) throw failures[0];
}
