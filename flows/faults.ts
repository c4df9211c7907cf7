import { reasonOf } from './reasons.ts';

/** Why a server or a system cannot be used for now; each is a code of the registry of reasons. */
export type FaultKind = 'unreachable' | 'unauthorized' | 'throttled' | 'malformed' | 'refused';

const WORDS: Readonly<Record<FaultKind, string>> = {
  unreachable: 'cannot be reached',
  unauthorized: 'refuses the key',
  throttled: 'asks to be called less often',
  malformed: 'answers with what cannot be read',
  refused: 'refuses the request',
};

/** Who stands in the way and how, the same words in the logs, `status`, `doctor` and `readyz`: "CRM cannot be reached". */
export const faultInWords = (title: string, fault: FaultKind): string => `${title} ${WORDS[fault]}`;

/** The fault that a name stands for; what is none counts as a refusal. */
export const faultNamed = (name: string): FaultKind => (name in WORDS ? (name as FaultKind) : 'refused');

/** Something that stands in the way of the installation as a whole, and what a person can do. */
export interface Trouble {
  readonly code: string;
  /** Who stands in the way: "MongoDB at 127.0.0.1:27017", "CRM". */
  readonly what: string;
  readonly sentence: string;
  /** In the other's own words; these may quote names. */
  readonly why: string | null;
  /** ISO instant; null where it is not known. */
  readonly since: string | null;
  readonly meaning: string;
  readonly advice: string;
}

/** Somebody who cannot be used for now, as a trouble. */
export function troubleOf(
  { title, fault }: { readonly title: string; readonly fault: FaultKind },
  { why = null, since = null }: { readonly why?: string | null; readonly since?: Date | null },
): Trouble {
  const { code, meaning, advice } = reasonOf(fault);
  return { code, what: title, sentence: faultInWords(title, fault), why, since: since?.toISOString() ?? null, meaning, advice };
}

/** What stands in the way, or soon will, that is no server's fault. */
export function troubleSaid(
  code: 'outage' | 'clock' | 'no-worker' | 'task-fails',
  { what, sentence, since }: { readonly what: string; readonly sentence: string; readonly since: number | null },
): Trouble {
  const { meaning, advice } = reasonOf(code);
  return { code, what, sentence, why: null, since: since === null ? null : new Date(since).toISOString(), meaning, advice };
}
