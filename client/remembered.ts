/** What is asked of servers once in so long (ms), however many want to know; a failure is asked again at once. */
export function remembered<T>(forMs: number, ask: () => Promise<T>): () => Promise<T> {
  let known: { readonly at: number; readonly answer: Promise<T> } | null = null;
  return () => {
    const now = Date.now();
    if (known && now - known.at < forMs) return known.answer;
    const answer = ask();
    const mine = (known = { at: now, answer });
    answer.catch(() => {
      if (known === mine) known = null;
    });
    return answer;
  };
}
