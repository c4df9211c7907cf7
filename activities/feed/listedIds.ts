import { randomUUID } from 'node:crypto';
import type { FeedContext } from './context.ts';
import { wholeList } from './wholeList.ts';

/** So many ids are kept in one document, at least. */
const PART = 5000;
/** A list that stood still for longer begins anew: it would hide what was deleted meanwhile (ms). */
const STALE_MS = 24 * 3600 * 1000;

/** Every id of a type, and when the list of them was begun (ms). */
export interface Listed {
  readonly began: number;
  readonly ids: ReadonlySet<string>;
}

/** Lists the ids of all records. What was listed is kept, part by part, so that a list that broke off goes on. */
export async function listIds(context: FeedContext): Promise<Listed> {
  const { deps, id: feed, type, connector, signal } = context;
  const { idLists } = deps.store;
  const now = deps.time.now();
  const { listing: open } = await context.cursor();
  const fresh = { began: now, position: null, parts: [] };
  const kept = open && now - open.began < STALE_MS ? await idLists.get(open.parts) : null;
  let { began, position, parts } = open && kept ? open : fresh;
  const ids = new Set(kept ?? []);
  let unkept: string[] = [];
  const pages = wholeList({
    read: (from) => connector.ids({ type, position: from }, { priority: 'sweep', signal }),
    position,
    time: deps.time,
    signal,
  });
  for await (const page of pages) {
    for (const each of page.ids) ids.add(each);
    unkept.push(...page.ids);
    if (!page.position || unkept.length < PART) continue;
    const part = randomUUID();
    await idLists.add({ _id: part, feed, ids: unkept });
    [unkept, parts, position] = [[], [...parts, part], page.position];
    await context.advance({ listing: { began, position, parts } });
  }
  return { began, ids };
}
