import type { Lies, Nature } from './modelRecord.ts';
import type { Random } from './sim.ts';

/** What systems make of text where a schedule is about something that depends on it. */
const TIDIES: Readonly<Record<string, readonly Nature['tidy'][]>> = {
  chases: ['keeps'],
  calm: ['keeps', 'trims', 'trims', 'trims'],
};

/** What a system is like. */
export function natureOf(
  random: Random,
  { side, lies, theme }: { readonly side: 'source' | 'target'; readonly lies: Lies | null; readonly theme: string },
): Nature {
  const externalId = side === 'target' && random.chance(0.8);
  return {
    conditional: side === 'source' ? 'test' : random.chance(0.75) ? 'etag' : 'none',
    testWorks: side === 'target' || random.chance(0.9),
    externalId,
    uniqueExternalId: externalId && (lies === null || random.chance(0.8)),
    idempotencyKey: side === 'target' && random.chance(lies ? 0.5 : 0.8),
    lagMs: random.pick([0, 300, 1200]),
    skewMs: random.pick([0, 0, -180_000, 240_000]),
    tidy: random.pick(TIDIES[theme] ?? (['keeps', 'keeps', 'trims', 'cuts', 'capitals'] as const)),
    still: random.chance(theme === 'calm' ? 0.8 : 0.3),
    keepsAll: theme === 'deletions' && random.chance(0.2),
    lies,
  };
}

/** How it lies. */
export function liesOf(random: Random): Lies {
  const lies = {
    answer: random.pick(['whole', 'part', 'id', 'none'] as const),
    forgets: random.pick([0, 0.3]),
    leavesOut: random.pick([0, 0.3]),
    leavesOutEmpty: random.chance(0.3),
    unreadable: random.pick([0, 0.1]),
    oddErrors: random.chance(0.5),
  };
  // Where a check has seen that what is left out has no value, it has none.
  return lies.leavesOutEmpty ? { ...lies, leavesOut: 0 } : lies;
}
