import type { Flow } from '../../flows/flow.ts';
import type { Message } from '../../workflows/core/receive.ts';
import type { LinkState } from '../../workflows/core/state.ts';
import type { MemoryStore } from './memoryStore.ts';
import type { ModelSystem } from './modelSystem.ts';
import type { Schedule } from './schedule.ts';

export const PROPERTIES = { source: ['FirstName', 'LastName'], target: ['givenName', 'familyName'] } as const;

export interface LinkRun {
  readonly sourceId: string;
  state: LinkState;
  readonly inbox: Message[];
  wake: () => void;
  open: boolean;
  steps: number;
}

/** Everything a schedule left behind, for the promises to be checked against. */
export interface Aftermath {
  readonly schedule: Schedule;
  readonly flow: Flow;
  readonly source: ModelSystem;
  readonly target: ModelSystem;
  readonly store: MemoryStore;
  readonly links: ReadonlyMap<string, LinkRun>;
  readonly test: 'unknown' | 'works' | 'missing';
  /** What happened after everything had settled: should be nothing. */
  readonly restless: { readonly writes: number; readonly signals: number };
}
