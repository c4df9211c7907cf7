import type { LinkDocument } from '../../store/documents.ts';
import type { Flow } from '../../flows/flow.ts';
import type { Ends } from '../../flows/installation.ts';
import { recordKey } from '../../flows/names.ts';

/** The key under which a link's target is found. */
export const targetKey = ({ target }: Ends, id: string): string => recordKey(target.system, target.type, id);

/** The key under which a record is known to be linked into a system. */
export const linkedKey = (ref: string, into: string): string => `${ref} > ${into}`;

/** A source record of a flow as others refer to it, once it is linked. */
export const linkedBy = (flow: Flow, sourceId: string): string =>
  linkedKey(recordKey(flow.source.system, flow.source.type, sourceId), flow.target.system);

/** Whether a link's source has no partner and waits for one. */
export const isUnlinked = (link: Pick<LinkDocument, 'targetId' | 'ended'> | undefined): boolean =>
  !link || (link.targetId === null && link.ended === null);

/** Adds to the list at a key. */
export function gather<K, T>(lists: Map<K, T[]>, key: K, item: T): void {
  const list = lists.get(key);
  if (list) list.push(item);
  else lists.set(key, [item]);
}
