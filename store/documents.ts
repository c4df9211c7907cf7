import type { FaultKind } from '../flows/faults.ts';
import type { Side } from '../flows/side.ts';
import type { Value, Values } from '../flows/values.ts';
import type { Block, Instants, Observation } from '../workflows/core/state.ts';
import type { LinkRecord } from '../workflows/contract.ts';
import type { ClockEstimate } from '../connectors/clock.ts';
import type { SlotUser } from '../connectors/fairShare.ts';

/** A link in the store; `_id` is `<flow>:<source id>`. Read-mostly: asked about many links at once. */
export interface LinkDocument extends Omit<LinkRecord, 'block'> {
  readonly _id: string;
  readonly sourceType: string;
  readonly targetType: string;
  /** The systems of both; links from before the store's second schema have none until they are migrated. */
  readonly sourceSystem?: string;
  readonly targetSystem?: string;
  /** `text` is the system's own and stays here alone. */
  readonly block: (Block & { readonly text: string }) | null;
  readonly updatedAt: Date;
  /** What is known of the record that is being created for it, before the link itself knows. */
  readonly creation?: CreationNote;
  /** There is news in it that has no number yet; said in the very write that brought the news. */
  readonly unnumbered?: true;
  /** Since when an edit is known that the link has not dealt with, as far as the store can tell. */
  readonly uncarriedSince?: Date;
  /** Up to which revision, and with which status, its news was numbered. */
  readonly numbered?: { readonly revision: number; readonly status: string };
}

/** A creation under way, for systems where what it made is not found by a name of its own. */
export interface CreationNote {
  readonly incarnation: number;
  /** How often the record was sent without an answer that says what became of it. */
  readonly tries: number;
  /** When it was first sent (ms). */
  readonly since: number;
  /** Its id, where an answer told it. */
  readonly id?: string;
  /** What was sent last without an answer; the source may have been edited since. */
  readonly values?: Values;
  /** The link's revision as it was sent last, which is in the key that the system may know it by. */
  readonly revision?: number;
}

/** How far a feed was read; `_id` is `<system>:<type>`. */
export interface CursorDocument {
  readonly _id: string;
  /** The newest instant dealt with, as the system wrote it, and its key. */
  readonly newest: string | null;
  readonly newestKey: string;
  /** When the newest instant was first seen (ms, our clock). */
  readonly newestAt: number;
  /** A look that began a whole overlap later found nothing newer, so the next may begin at the newest itself. */
  readonly settled: boolean;
  readonly lookedAt: number;
  /** How often the feed was read to its end; 0 while the first reading is under way. */
  readonly looks: number;
  readonly sweptAt: number;
  readonly sweepAsked: number;
  /** When somebody last asked for a look before the poll is due, as a webhook does (ms). */
  readonly lookAsked?: number;
  /** A record that somebody says has changed, as a webhook does, and when (ms): it is read before the poll is due. */
  readonly recordAsked?: { readonly id: string; readonly at: number } | null;
  readonly idsAt: number;
  /** When the system was last asked which records were deleted, where it tells (ms). */
  readonly deletedAt?: number;
  /** When somebody last asked for a look for deletions before it is due (ms). */
  readonly idsAsked?: number;
  /** A sweep under way: when it was begun (ms), and where it goes on. */
  readonly sweep?: { readonly began: number; readonly position: string } | null;
  /** A list of ids under way, with the parts of it that are kept. */
  readonly listing?: { readonly began: number; readonly position: string; readonly parts: readonly string[] } | null;
  /** An index under way, for these flows. */
  readonly indexing?: { readonly names: readonly string[]; readonly position: string } | null;
  /** A look under way at a list that is not sorted, so that its pages move no cursor: since when it asks, where it goes on. */
  readonly reading?: { readonly since: string | null; readonly position: string } | null;
  /** Lists of ids that lacked very many records of a flow; each stands until a later list or a person settles it. */
  readonly notBelieved?: readonly NotBelieved[];
  /** By which flows, scopes and fields it was read; others ask for a sweep. */
  readonly rules?: string;
  /** The watcher that has the feed: what an earlier one still writes changes nothing. */
  readonly fence?: string;
  /** How long the watcher waits between two looks (s). */
  readonly pauseSeconds?: number;
  /** Fields in use whose edits move no stamp, and how old such an edit may be before it is seen (h). */
  readonly unstamped?: { readonly fields: readonly string[]; readonly hours: number } | null;
  /** Flows (with their rules of matching) for which every record was noted as a candidate. */
  readonly indexed?: readonly string[];
  /** What stands in the way now, in the system's own words; since when, and the system's fault where it is its. */
  readonly trouble: { readonly text: string; readonly at: number; readonly since?: number; readonly fault?: FaultKind } | null;
}

/** A list of ids that lacks so many of a flow's records that nobody is told; since when (ms). */
export interface NotBelieved {
  readonly flow: string;
  readonly side: Side;
  readonly missing: number;
  readonly all: number;
  readonly since: number;
}

/** A feed that was never read. */
export const UNREAD: Omit<CursorDocument, '_id'> = {
  newest: null,
  newestKey: '',
  newestAt: 0,
  settled: false,
  lookedAt: 0,
  looks: 0,
  sweptAt: 0,
  sweepAsked: 0,
  idsAt: 0,
  trouble: null,
};

/** A record of a feed that could not be dealt with in its turn; `_id` is `<feed>:<id>`. */
export interface SetAsideDocument {
  readonly _id: string;
  readonly feed: string;
  /** Null where its row shows none: then no direct read can help. */
  readonly id: string | null;
  /** Its row cannot be read, or its link takes no message for now. */
  readonly kind: 'unreadable' | 'undelivered';
  /** In a text that may quote values: for the store and for people alone. */
  readonly why: string;
  /** When it was set aside, last met in a list, and is next read (ms). */
  readonly since: number;
  readonly seenAt: number;
  readonly nextAt: number;
  readonly tries: number;
}

/** A part of a list of ids under way. */
export interface IdListDocument {
  readonly _id: string;
  readonly feed: string;
  readonly ids: readonly string[];
}

/** A record as matches and references find it; `_id` is `<flow>:<side>:<id>`. Only records in scope stand here. */
export interface CandidateDocument {
  readonly _id: string;
  readonly flow: string;
  readonly side: Side;
  readonly id: string;
  /** One text for each alternative of the match that the record has a value for: number, colon, normalised value. */
  readonly keys: readonly string[];
  /** Records that it refers to, `<system>:<type>:<id>`. */
  readonly refs: readonly string[];
  /** Since when links are to be woken for it (ms), and keys that it had before; gone once they were. */
  readonly wakes?: number;
  readonly keysBefore?: readonly string[];
}

/** One applied change; `_id` is link, revision and property. */
export interface HistoryDocument {
  readonly _id: string;
  readonly link: string;
  readonly flow: string;
  readonly at: Date;
  readonly side: Side;
  readonly property: string;
  readonly why: string;
  /** The attempt that noted it; an older one may not take it back. */
  readonly attempt: number;
  readonly before: Value;
  readonly after: Value;
  readonly instants?: Readonly<Record<Side, Instants>>;
  /** Sent, and never answered, or answered and never seen: whether the record ever showed it is not known. */
  readonly unanswered?: true;
}

/** To which installation a database belongs; `_id` is `owner`. */
export interface OwnerDocument {
  readonly _id: string;
  readonly name: string;
  /** The installation and its systems, as activities name them; unknown in a database from before. */
  readonly world?: string;
  /** Flows that were removed, and whose links were kept. */
  readonly removed?: readonly string[];
  /** Counts the changes to the shape of documents and indexes. */
  readonly schema: number;
}

/** What is remembered of a system: who it is, what it can, how its clock goes. */
export interface SystemDocument {
  readonly _id: string;
  readonly identity?: string;
  readonly test?: 'works' | 'missing';
  /** When it was found missing (ms): such a verdict is tried again. */
  readonly testAt?: number;
  /** How it takes a condition with a write; left out where its writes tell (`test`). */
  readonly conditional?: 'test' | 'etag' | 'none';
  readonly clock?: ClockEstimate;
  /** The key of the limiter that its calls pass. */
  readonly quota?: string;
  /** What the last check of a profile found. */
  readonly profileCheck?: ProfileCheck;
}

/** What a check of a profile found; the hash is the checked profile's. */
export interface ProfileCheck {
  readonly hash: string;
  readonly at: number;
  /** Claims that the real system refuted, in words, each with its type before it. */
  readonly refuted: readonly string[];
  /** Types that were checked. */
  readonly types: readonly string[];
  /** Types whose answers were seen to leave out what has no value. */
  readonly absentSeen: readonly string[];
}

/** A record of which a system said "gone", and when (ms). */
export interface Miss {
  readonly record: string;
  readonly at: number;
}

/** One limit: the throttle's next free slot, a flow's endings by minute, or what is paused. */
export interface LimitDocument {
  readonly _id: string;
  readonly next?: number;
  readonly holdUntil?: number;
  /** Who calls with the key, how the installations' shares stand, and how often a broken slot was reset. */
  readonly users?: Readonly<Record<string, SlotUser>>;
  readonly virtual?: number;
  readonly finish?: Readonly<Record<string, number>>;
  readonly resets?: number;
  /** How many slots it has handed out. */
  readonly taken?: number;
  readonly minutes?: Readonly<Record<string, number>>;
  readonly approvedUntil?: number;
  /** Since when a flow is held back, until a person approves or withdraws (ms). */
  readonly heldSince?: number | null;
  /** Overwrites with one and the same value in one property: by their key, counted by minute. */
  readonly same?: Readonly<Record<string, Readonly<Record<string, number>>>>;
  /** Keys of those that are held back. */
  readonly heldValues?: readonly string[];
  readonly paused?: readonly string[];
  /** Of which records a system said "gone" lately, when (ms), and the outage that it amounts to. */
  readonly misses?: readonly Miss[];
  readonly outage?: { readonly since: number; readonly probedAt: number } | null;
}

/** The seen observation of one side, to be raised. */
export interface SeenUpdate {
  readonly key: string;
  readonly side: Side;
  readonly seen: Observation;
  /** It shows an edit that its link was told of. */
  readonly news?: boolean;
  /** Its version is raised only while the store has this one, since its link was not told: of the same contents, that is. */
  readonly comparedWith?: string | null;
  /** The target of which it was seen: it says nothing of another one, which may have taken its place. */
  readonly targetId?: string;
}
