import type { Side } from './side.ts';

/** Names that outlive any version of the code: search attributes, keys, messages; installation.ts has the ids. */

/** Search attributes of a link, never encrypted: no personal data in them. */
export const SEARCH_ATTRIBUTES = {
  flow: 'TandemFlow',
  status: 'TandemStatus',
  sourceId: 'TandemSourceId',
  targetId: 'TandemTargetId',
} as const;

/** The store's key of a link. */
export const linkKey = (flow: string, sourceId: string): string => `${flow}:${sourceId}`;

/** The store's key of a feed's cursor. */
export const feedKey = (system: string, type: string): string => `${system}:${type}`;

/** The store's key of a record that is set aside, by its id or by what stands for it. */
export const asideKey = (feed: string, id: string): string => `${feed}:${id}`;

/** A record, as references name it. */
export const recordKey = (system: string, type: string, id: string): string => `${feedKey(system, type)}:${id}`;

/** The store's key of a candidate. */
export const candidateKey = (flow: string, side: Side, id: string): string => `${flow}:${side}:${id}`;

/** The store's key of a change: one a link, revision and property. */
export const historyKey = (link: string, revision: number, property: string): string => `${link}:${revision}:${property}`;

/** The key of the event that a revision brought another status. No property is named so: it has a blank. */
export const statusEventKey = (link: string, revision: number): string => `${link}:${revision}: status`;

/** The revision in a change's key. */
export const revisionOf = (link: string, key: string): number => Number(key.slice(link.length + 1).split(':')[0]);

/** A change's key from what people are shown of it: revision and property, with or without its link. */
export const historyKeyNamed = (link: string, name: string): string => (name.startsWith(`${link}:`) ? name : `${link}:${name}`);

/** One side's value of a property of a link, as plans name it. */
export const valueKey = (link: string, side: Side, property: string): string => `${link}:${side}:${property}`;

/** Under which a cursor notes that every record is a candidate by these rules of a flow. */
export const indexKey = (flow: string, rules: string): string => `${flow}:${rules}`;

/** Messages that a link workflow takes. */
export const MESSAGES = {
  observed: 'observed',
  vanished: 'vanished',
  steer: 'steer',
  settled: 'settled',
  sync: 'sync',
  renew: 'renew',
  state: 'state',
  /** To a feed: how long its watcher may be silent. */
  takeover: 'takeover',
} as const;

/** Changes to the commands of workflows that run already, as `patched()` names them. */
export const PATCHES = { renewal: 'renewal', patience: 'patience', neverAgreed: 'never-agreed' } as const;

/** Workflow types. */
export const WORKFLOWS = { link: 'link', feed: 'feed', world: 'world' } as const;

const POWEROFFICE = 'PowerOffice';
const CRM = 'CRM';

/** A system's name as people write it. */
export const systemTitle = (system: string): string => (system === 'powerOffice' ? POWEROFFICE : CRM);
