import type { Nature } from './modelRecord.ts';
import { Random } from './sim.ts';

/** One thing that happens in a schedule, at `at` ms after its start. */
export type Act =
  | { readonly at: number; readonly do: 'create'; readonly n: number; readonly value: string }
  | {
      readonly at: number;
      readonly do: 'edit';
      readonly side: 'source' | 'target';
      readonly n: number;
      readonly property: 0 | 1;
      readonly value: string | null;
    }
  | { readonly at: number; readonly do: 'touch'; readonly side: 'source' | 'target'; readonly n: number }
  | { readonly at: number; readonly do: 'delete'; readonly side: 'source' | 'target'; readonly n: number }
  | { readonly at: number; readonly do: 'scope'; readonly n: number; readonly on: boolean }
  | { readonly at: number; readonly do: 'crash' }
  | { readonly at: number; readonly do: 'freeze' }
  | { readonly at: number; readonly do: 'clock'; readonly side: 'source' | 'target'; readonly ms: number }
  | { readonly at: number; readonly do: 'blip'; readonly side: 'source' | 'target'; readonly ms: number }
  | { readonly at: number; readonly do: 'sweep' }
  | { readonly at: number; readonly do: 'ids' };

/** A schedule: everything that is random but the order of what happens at once. Made from a seed, or shrunk. */
export interface Schedule {
  readonly seed: number;
  readonly source: Nature;
  readonly target: Nature;
  readonly policy: 'latest' | 'source' | 'target';
  /** Share of calls that fail while people edit. */
  readonly faults: number;
  /** Share of steps at which the process dies. */
  readonly crashes: number;
  readonly acts: readonly Act[];
}

export const ACTIVE_MS = 60_000;
const VALUES = ['Kari', 'Ola', ' Kari ', 'KARI', 'Anne-Lise Marie Kristine Solberg', 'Bjørn', '!', null] as const;

/** The schedule of a seed. */
export function scheduleOf(seed: number): Schedule {
  const random = new Random(seed);
  const nature = (side: 'source' | 'target'): Nature => ({
    conditional: side === 'source' ? 'test' : random.chance(0.75) ? 'etag' : 'none',
    testWorks: side === 'target' || random.chance(0.9),
    externalId: side === 'target' && random.chance(0.8),
    idempotencyKey: side === 'target' && random.chance(0.8),
    lagMs: random.pick([0, 300, 1200]),
    skewMs: random.pick([0, 0, -180_000, 240_000]),
    tidy: random.pick(['keeps', 'keeps', 'trims', 'cuts'] as const),
  });
  const records = 1 + random.int(4);
  const acts: Act[] = [];
  const when = (): number => Math.floor(random.between(0, ACTIVE_MS));
  for (let n = 0; n < records; n++)
    acts.push({ at: n === 0 ? 0 : when(), do: 'create', n, value: random.pick(VALUES.slice(0, 6)) as string });
  let burst = when();
  for (let i = random.int(14); i > 0; i--) {
    // People edit in bursts, often both sides at once.
    if (random.chance(0.5)) burst = when();
    const side = random.pick(['source', 'target'] as const);
    const n = random.int(records);
    const kind = random.next();
    const at = Math.min(ACTIVE_MS, Math.floor(burst + random.between(0, 3000)));
    if (kind < 0.75) acts.push({ at, do: 'edit', side, n, property: random.pick([0, 1] as const), value: random.pick(VALUES) });
    else if (kind < 0.85) acts.push({ at, do: 'touch', side, n });
    else if (kind < 0.9) acts.push({ at, do: 'delete', side, n });
    else acts.push({ at, do: 'scope', n, on: random.chance(0.5) });
  }
  const duel = random.chance(0.3);
  // Only where nothing else goes wrong does the later of two edits have to win, whatever the clocks say.
  const calm = duel && random.chance(0.5);
  if (duel) {
    // A duel: one property on both sides, clearly apart, yet often between two looks.
    const [first, second] = random.chance(0.5) ? (['source', 'target'] as const) : (['target', 'source'] as const);
    const at = Math.floor(random.between(15_000, ACTIVE_MS - 4000));
    const later = at + Math.floor(random.between(2100, 2900));
    acts.push({ at, do: 'edit', side: first, n: 0, property: 1, value: `${first} first` });
    acts.push({ at: later, do: 'edit', side: second, n: 0, property: 1, value: `${second} second` });
  }
  for (let i = calm ? 0 : random.int(3); i > 0; i--)
    acts.push({ at: when(), do: random.pick(['crash', 'freeze', 'sweep', 'ids'] as const) });
  if (!calm && random.chance(0.2))
    acts.push({
      at: when(),
      do: 'clock',
      side: random.pick(['source', 'target'] as const),
      ms: random.pick([-90_000, -3_600_000, 60_000]),
    });
  if (!calm && random.chance(0.2))
    acts.push({
      at: when(),
      do: 'blip',
      side: random.pick(['source', 'target'] as const),
      ms: Math.floor(random.between(3000, 40_000)),
    });
  const kept = calm ? acts.filter((act) => act.do !== 'scope' && act.do !== 'delete') : acts;
  kept.sort((a, b) => a.at - b.at);
  return {
    seed,
    source: nature('source'),
    target: nature('target'),
    policy: calm ? 'latest' : random.pick(['latest', 'latest', 'source', 'target'] as const),
    faults: calm ? 0 : random.pick([0, 0.02, 0.08, 0.2]),
    crashes: calm ? 0 : random.pick([0, 0, 0.003, 0.02]),
    acts: kept,
  };
}

/** A schedule as a story for people. */
export function story(schedule: Schedule): string {
  const { source, target } = schedule;
  const nature = (name: string, n: Nature): string =>
    `${name}: condition ${n.conditional}${n.testWorks ? '' : ' (not honoured)'}, lag ${n.lagMs} ms, clock ${n.skewMs} ms off, ${n.tidy}${n.externalId ? ', external ids' : ''}${n.idempotencyKey ? ', idempotency keys' : ''}`;
  const lines = schedule.acts.map((act) => {
    const at = `${(act.at / 1000).toFixed(3).padStart(7)} s `;
    switch (act.do) {
      case 'create':
        return `${at}somebody creates source record ${act.n} (${JSON.stringify(act.value)})`;
      case 'edit':
        return `${at}somebody sets property ${act.property} of ${act.side} record ${act.n} to ${JSON.stringify(act.value)}`;
      case 'touch':
        return `${at}somebody edits an unmapped property of ${act.side} record ${act.n}`;
      case 'delete':
        return `${at}somebody deletes ${act.side} record ${act.n}`;
      case 'scope':
        return `${at}source record ${act.n} ${act.on ? 'comes into' : 'leaves'} scope`;
      case 'crash':
        return `${at}every worker process is killed`;
      case 'freeze':
        return `${at}a worker freezes for a while, is taken for dead, and wakes up`;
      case 'clock':
        return `${at}the clock of the ${act.side} is set ${act.ms} ms`;
      case 'blip':
        return `${at}the ${act.side} answers 404 to everything that is read for ${act.ms} ms`;
      case 'sweep':
        return `${at}a full comparison is asked for`;
      case 'ids':
        return `${at}a look for deletions is asked for`;
    }
  });
  return [
    `seed ${schedule.seed}, policy ${schedule.policy}, faults ${schedule.faults}, crashes ${schedule.crashes}`,
    nature('source', source),
    nature('target', target),
    ...lines,
  ].join('\n');
}
