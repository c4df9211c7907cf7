import type { LinkDocument } from '../../store/documents.ts';

/** So many messages a link is sent while it answers none by a revision: Temporal refuses all after 10,000. */
export const MOST_UNANSWERED = 500;
const MOST_KNOWN = 10_000;

/** Counts what links were told since their last revision, so that a flood on one fills nobody's history. */
export class Floods {
  readonly #known = new Map<string, { revision: number; told: number }>();

  /** Counts one more message to a link; false where it has to answer first. */
  mayTell({ _id, revision }: Pick<LinkDocument, '_id' | 'revision'>): boolean {
    if (this.#known.size > MOST_KNOWN) this.#known.clear();
    const known = this.#known.get(_id);
    const told = known?.revision === revision ? known.told : 0;
    if (told >= MOST_UNANSWERED) return false;
    this.#known.set(_id, { revision, told: told + 1 });
    return true;
  }
}
