import type { Side } from '../../flows/side.ts';
import type { Values } from '../../flows/values.ts';
import type { Assignment } from './merge.ts';
import type { LinkState, Status } from './state.ts';

/** What a link does next. Steps that write to the store carry the revision under which they do. */
export type Step =
  | {
      readonly kind: 'create';
      readonly revision: number;
      readonly values: Values;
      readonly status: Status;
      readonly what: string;
    }
  | {
      readonly kind: 'write';
      readonly revision: number;
      readonly side: Side;
      readonly assignments: readonly Assignment[];
      readonly status: Status;
      readonly what: string;
    }
  | { readonly kind: 'remove'; readonly revision: number; readonly side: Side }
  | { readonly kind: 'read'; readonly sides: readonly Side[] }
  /** Is it gone? `announced`: a list of ids lacks it; `list`: such a list is wanted, since reads have said so long enough. */
  | { readonly kind: 'confirm'; readonly side: Side; readonly announced?: boolean; readonly list?: boolean }
  | { readonly kind: 'store'; readonly revision: number }
  | { readonly kind: 'wait'; readonly until: number | null }
  | { readonly kind: 'close' };

/** What `advance` decides: the state from which the step is taken. */
export interface Decision {
  readonly state: LinkState;
  readonly step: Step;
}

/** A step under the next revision. */
export function underRevision(state: LinkState, step: (revision: number) => Step): Decision {
  const revision = state.revision + 1;
  return { state: { ...state, revision }, step: step(revision) };
}

/** Stores what is not stored yet, then waits. */
export function idle(state: LinkState, until: number | null): Decision {
  if (state.stored) return { state, step: { kind: 'wait', until } };
  return underRevision(state, (revision) => ({ kind: 'store', revision }));
}
