import { asideKey } from '../../flows/names.ts';
import { FeedTaken, type CursorFields, type FeedAsk } from '../../store/cursors.ts';
import { UNREAD, type CursorDocument, type IdListDocument, type SetAsideDocument } from '../../store/documents.ts';
import type { Aside } from '../../store/setAside.ts';

export class MemoryIdLists {
  readonly #parts = new Map<string, IdListDocument>();

  add(part: IdListDocument): Promise<void> {
    this.#parts.set(part._id, part);
    return Promise.resolve();
  }

  get(parts: readonly string[]): Promise<string[] | null> {
    const found = parts.flatMap((id) => this.#parts.get(id) ?? []);
    return Promise.resolve(found.length === parts.length ? found.flatMap(({ ids }) => ids) : null);
  }

  forget(feed: string): Promise<void> {
    for (const [id, part] of this.#parts) if (part.feed === feed) this.#parts.delete(id);
    return Promise.resolve();
  }
}

export class MemorySetAside {
  readonly #rows = new Map<string, SetAsideDocument>();

  note(
    feed: string,
    rows: readonly Aside[],
    { kind, now, nextAt = now }: Pick<SetAsideDocument, 'kind'> & { readonly now: number; readonly nextAt?: number },
  ): Promise<number> {
    const before = this.#rows.size;
    for (const { id = null, why } of rows) {
      const _id = asideKey(feed, id ?? why);
      const fresh = { since: now, nextAt, tries: 0 };
      this.#rows.set(_id, { ...(this.#rows.get(_id) ?? fresh), _id, feed, id, kind, why, seenAt: now });
    }
    return Promise.resolve(this.#rows.size - before);
  }

  count(feed: string): Promise<number> {
    return Promise.resolve([...this.#rows.values()].filter((each) => each.feed === feed).length);
  }

  due(feed: string, now: number, limit: number): Promise<SetAsideDocument[]> {
    const due = [...this.#rows.values()].filter((each) => each.feed === feed && each.id !== null && each.nextAt <= now);
    return Promise.resolve(due.sort((a, b) => a.nextAt - b.nextAt).slice(0, limit));
  }

  postpone(key: string, fields: Pick<SetAsideDocument, 'nextAt' | 'why' | 'kind'>): Promise<void> {
    const known = this.#rows.get(key);
    if (known) this.#rows.set(key, { ...known, ...fields, tries: known.tries + 1 });
    return Promise.resolve();
  }

  drop(key: string): Promise<void> {
    this.#rows.delete(key);
    return Promise.resolve();
  }

  dropUnseen(feed: string, before: number): Promise<void> {
    for (const [key, each] of this.#rows)
      if (each.feed === feed && each.id === null && each.seenAt < before) this.#rows.delete(key);
    return Promise.resolve();
  }
}

export class MemoryCursors {
  readonly #rows = new Map<string, CursorDocument>();
  #watchers = 0;

  get(feed: string): Promise<CursorDocument> {
    return Promise.resolve({ ...(this.#rows.get(feed) ?? { ...UNREAD, _id: feed }) });
  }

  ask(feed: string, what: FeedAsk): Promise<void> {
    return Promise.resolve(this.#put(feed, what));
  }

  takeRecord(feed: string, asked: NonNullable<CursorDocument['recordAsked']>): Promise<boolean> {
    const { id, at } = this.#rows.get(feed)?.recordAsked ?? {};
    const same = id === asked.id && at === asked.at;
    if (same) this.#put(feed, { recordAsked: null });
    return Promise.resolve(same);
  }

  takeOver(feed: string): Promise<string> {
    const fence = String(++this.#watchers);
    return Promise.resolve(this.#put(feed, { fence })).then(() => fence);
  }

  advance(feed: string, fence: string, fields: CursorFields): Promise<void> {
    if (this.#rows.get(feed)?.fence !== fence) return Promise.reject(new FeedTaken(feed));
    return Promise.resolve(this.#put(feed, fields));
  }

  #put(feed: string, fields: Partial<CursorDocument>): void {
    this.#rows.set(feed, Object.assign(this.#rows.get(feed) ?? { ...UNREAD, _id: feed }, fields));
  }
}
