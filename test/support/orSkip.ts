/** What a stranger's tool needs is fetched once, by name; where it cannot be, its tests are skipped with the reason. */
export async function orSkip<T>(context: Mocha.Context, what: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    console.log(`    skipped: ${what} cannot be fetched (${String(error).split('\n')[0]?.slice(0, 200)})`);
    return context.skip();
  }
}
