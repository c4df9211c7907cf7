import type { Value } from '../../flows/values.ts';
import type { Act, Deed } from './acts.ts';
import { planFlows, type FlowPlan, type Theme } from './flowPlan.ts';
import type { Nature } from './modelRecord.ts';
import { liesOf, natureOf } from './natures.ts';
import { Random } from './sim.ts';

export type { Act } from './acts.ts';

/** A schedule: everything that is random but the order of what happens at once. Made from a seed, or shrunk. */
export interface Schedule {
  readonly seed: number;
  readonly source: Nature;
  readonly target: Nature;
  readonly flows: readonly FlowPlan[];
  /** What the flows are from the act `rules` on; null where they stay. */
  readonly later: readonly FlowPlan[] | null;
  readonly sites: 1 | 2;
  /** Whether two installations write to one CRM. */
  readonly sharedCrm: boolean;
  /** How wrong each worker's clock goes (ms). */
  readonly skews: readonly number[];
  /** Share of calls that fail while people edit. */
  readonly faults: number;
  /** Share of steps at which a process dies or freezes. */
  readonly crashes: number;
  /** Share of steps after which a link goes on as a new run. */
  readonly rollOvers: number;
  readonly acts: readonly Act[];
}

export const ACTIVE_MS = 60_000;
const ROUND: readonly Theme[] = [
  'plain',
  'steering',
  'lies',
  'calm',
  'matching',
  'deletions',
  'plain',
  'flows',
  'steering',
  'lies',
  'sites',
  'deletions',
  'calm',
  'flows',
  'bulk',
  'matching',
  'lies',
  'outage',
  'chases',
];

/** The schedule of a seed. */
export function scheduleOf(seed: number): Schedule {
  return new Draft(seed).finish();
}

/** A schedule in the making. */
class Draft {
  readonly #seed: number;
  readonly #random: Random;
  readonly #theme: Theme;
  readonly #acts: Act[] = [];
  readonly #sites: 1 | 2;
  readonly #records: number;
  #flows: readonly FlowPlan[];
  #later: readonly FlowPlan[] | null = null;
  #values = 0;

  constructor(seed: number) {
    this.#seed = seed;
    this.#random = new Random(seed);
    this.#theme = ROUND[seed % ROUND.length] as Theme;
    this.#sites = this.#theme === 'sites' ? 2 : 1;
    this.#records = this.#theme === 'bulk' ? 24 : this.#theme === 'outage' ? 13 : 1 + this.#random.int(4);
    this.#flows = planFlows(this.#random, { theme: this.#theme, when: () => this.#when() });
  }

  finish(): Schedule {
    const random = this.#random;
    const calm = this.#theme === 'calm';
    const big = this.#theme === 'bulk' || this.#theme === 'outage';
    this.#people(calm ? 4 : big ? 6 : 14);
    // Each of several duels has a record of its own.
    for (let n = 0; n < (calm ? this.#records : 1); n++) if (calm || random.chance(0.2)) this.#duel(n);
    if (this.#theme === 'steering') this.#steer();
    if (this.#theme === 'matching') this.#twins();
    if (this.#theme === 'chases') this.#chases();
    if (this.#theme === 'flows') this.#changeFlows();
    if (this.#theme === 'deletions') this.#deletions();
    if (this.#theme === 'lies') this.#believe();
    if (this.#theme === 'bulk') this.#bulk();
    if (this.#theme === 'outage') this.#outage();
    if (!calm && !(this.#theme === 'steering' && random.chance(0.5))) this.#trouble();
    const mild = big ? [0, 0.02] : this.#theme === 'steering' || this.#theme === 'lies' ? [0, 0, 0.08] : [0, 0.02, 0.08, 0.2];
    this.#acts.sort((a, b) => a.at - b.at);
    const lies = this.#theme === 'lies';
    const chases = this.#theme === 'chases';
    return {
      seed: this.#seed,
      source: natureOf(random, { side: 'source', lies: null, theme: this.#theme }),
      target: natureOf(random, { side: 'target', lies: lies ? liesOf(random) : null, theme: this.#theme }),
      flows: this.#flows,
      later: this.#later,
      sites: this.#sites,
      sharedCrm: random.chance(0.5),
      skews: random.pick([[0, 0], [0, 300], [-200, 200], calm ? [0, 0] : [0, 4000]]),
      faults: calm ? 0 : random.pick(chases ? [0.1, 0.2, 0.3] : mild),
      crashes: calm || big ? 0 : random.pick([0, 0, 0.003, 0.02]),
      rollOvers: random.pick([0, 0.1, 0.5]),
      acts: this.#acts,
    };
  }

  #when(): number {
    return Math.floor(this.#random.between(0, ACTIVE_MS));
  }

  #add(deed: Deed, at = this.#when()): void {
    this.#acts.push({ ...deed, at: Math.max(0, Math.min(ACTIVE_MS, Math.floor(at))) } as Act);
  }

  /** A record of any site and flow. */
  #any(): { site: number; flow: number; n: number } {
    const random = this.#random;
    return { site: random.int(this.#sites), flow: random.int(this.#flows.length), n: random.int(this.#records) };
  }

  /** A text that nobody else writes, so that nothing agrees by chance; now and then one that a system refuses, or none. */
  #value(): Value {
    const k = ++this.#values;
    const kind = this.#random.next();
    if (kind < 0.05) return null;
    if (kind < 0.09) return `no${k}!`;
    if (kind < 0.12) return `no${k}?`;
    return this.#text(k);
  }

  #text(k = ++this.#values): string {
    return this.#random.pick([
      `Kari${k}`,
      `Kari${k}`,
      ` Ola${k} `,
      `SIV${k}`,
      `${k} Anne-Lise Marie Kristine Solberg`,
      `Bjørn${k}`,
    ]);
  }

  #people(most: number): void {
    const random = this.#random;
    // What is about records that are linked needs them early.
    const early = this.#records > 10 || ['calm', 'deletions', 'steering'].includes(this.#theme);
    for (let site = 0; site < this.#sites; site++)
      for (const [flow, plan] of this.#flows.entries())
        for (let n = 0; n < this.#records; n++)
          if (flow === 0 || plan.source !== 'Person')
            this.#add({ do: 'create', site, flow, n, value: this.#text() }, n === 0 || early ? flow : this.#when());
    let burst = this.#when();
    for (let i = random.int(most); i > 0; i--) {
      // People edit in bursts, often both sides at once.
      if (random.chance(0.5)) burst = this.#when();
      this.#edit(burst + random.between(0, 3000));
    }
  }

  #edit(at: number): void {
    const random = this.#random;
    const calm = this.#theme === 'calm';
    const of = this.#any();
    const side = random.pick(['source', 'target'] as const);
    const pair = random.int(this.#flows[of.flow]?.pairs ?? 2);
    const kind = random.next();
    if (kind < 0.62 || calm) this.#add({ do: 'edit', ...of, side, pair, value: this.#value() }, at);
    else if (kind < 0.68) this.#add({ do: 'both', ...of, pair, value: this.#text() }, at);
    else if (kind < 0.76) {
      // There and back again, each time told.
      for (const before of [12_000, 6000]) this.#add({ do: 'edit', ...of, side, pair, value: this.#text() }, at - before);
      this.#add({ do: 'back', ...of, side, pair }, at);
    } else if (kind < 0.84) this.#add({ do: 'touch', ...of, side }, at);
    else if (kind < 0.88) this.#add({ do: 'delete', ...of, side }, at);
    else if (kind < 0.91) this.#add({ do: 'vip', ...of, on: random.chance(0.7) }, at);
    else if (kind < 0.94 && this.#theme === 'lies') this.#add({ do: 'merge', ...of }, at);
    else this.#scope(of, at);
  }

  /** Out of scope, and mostly back again. */
  #scope(of: { site: number; flow: number; n: number }, at: number): void {
    const random = this.#random;
    this.#add({ do: 'scope', ...of, on: random.chance(0.2) }, at);
    // An edit that was to be carried just then.
    if (random.chance(0.6))
      this.#add({ do: 'edit', ...of, side: 'target', pair: random.int(2), value: this.#text() }, at - random.between(0, 2500));
    if (random.chance(0.7)) this.#add({ do: 'scope', ...of, on: true }, at + random.between(4000, 25_000));
  }

  /** One property on both sides, clearly apart, yet often between two looks. */
  #duel(n: number): void {
    const random = this.#random;
    const calm = this.#theme === 'calm';
    const sides = random.chance(calm ? 0.3 : 0.5) ? (['source', 'target'] as const) : (['target', 'source'] as const);
    const at = random.between(30_000, ACTIVE_MS - 4000);
    const of = { site: 0, flow: 0, n };
    // Now and then a write that changes nothing came just before: the clock learns from it, or should not.
    const pads = calm ? 0.9 : 0.4;
    if (random.chance(pads))
      this.#add({ do: 'edit', ...of, side: 'source', pair: 0, value: `Pad${++this.#values}` }, at - 26_000);
    const padded = `  Pad${this.#values}  `;
    if (random.chance(pads)) this.#add({ do: 'edit', ...of, side: 'source', pair: 0, value: padded }, at - 14_000);
    for (const [i, side] of sides.entries())
      this.#add({ do: 'edit', ...of, side, pair: 1, value: `Duel${++this.#values}` }, at + i * random.between(2100, 2900));
  }

  /** A property is edited again while its last value is on its way, and another property of the other side comes between. */
  #chases(): void {
    const random = this.#random;
    for (let i = 0; i < 3 * this.#records; i++) {
      const of = { site: 0, flow: 0, n: i % this.#records };
      const sides = random.chance(0.5) ? (['source', 'target'] as const) : (['target', 'source'] as const);
      const at = random.between(12_000, ACTIVE_MS - 9000);
      this.#add({ do: 'edit', ...of, side: sides[0], pair: 0, value: this.#text() }, at);
      this.#add({ do: 'edit', ...of, side: sides[1], pair: 1, value: this.#text() }, at + random.between(0, 3000));
      this.#add({ do: 'edit', ...of, side: sides[0], pair: 0, value: this.#text() }, at + random.between(800, 9000));
    }
  }

  #steer(): void {
    const random = this.#random;
    for (let i = 1 + random.int(4); i > 0; i--) {
      const of = this.#any();
      const at = random.between(8000, ACTIVE_MS - 10_000);
      const soon = at + random.between(300, 15_000);
      const side = random.pick(['source', 'target'] as const);
      const edit = { do: 'edit', ...of, side, pair: random.int(2), value: this.#text() } as const;
      const kind = random.next();
      if (kind < 0.3) {
        const what = random.pick(['link', 'flow', 'system'] as const);
        this.#add({ do: 'pause', ...of, what }, at);
        this.#add(edit, at + 2500);
        if (random.chance(0.7)) this.#add({ do: 'resume', ...of, what }, at + random.between(15_000, 40_000));
      } else if (kind < 0.55) {
        this.#add({ do: 'unlink', ...of }, at);
        this.#add(edit, at + random.between(-2000, 9000));
        if (random.chance(0.5)) this.#add({ do: 'relink', ...of }, at + random.between(9000, 40_000));
      } else if (kind < 0.75) {
        this.#add({ ...edit, side: 'source', value: this.#text() }, at);
        this.#add({ ...edit, side: 'target', value: this.#text() }, at + 300);
        this.#add({ do: 'resolve', ...of, pair: edit.pair, side }, at + random.between(2000, 20_000));
      } else if (kind < 0.9) this.#add({ do: 'restore', ...of, which: random.int(6) }, soon);
      else this.#add({ do: random.pick(['sync', 'retry', 'terminate'] as const), ...of }, at);
    }
  }

  #twins(): void {
    const random = this.#random;
    for (let n = 0; n < this.#records; n++) {
      const of = { site: 0, flow: 0, n };
      for (let i = random.pick([0, 1, 1, 1, 2]); i > 0; i--)
        this.#add({ do: 'twin', ...of, value: this.#text() }, random.chance(0.5) ? 0 : this.#when());
      if (random.chance(0.2)) this.#add({ do: 'link', ...of }, this.#when());
    }
  }

  #changeFlows(): void {
    const random = this.#random;
    const [first, ...others] = this.#flows;
    if (!first) return;
    const late = others.some(({ from }) => from > 0);
    if (!late && random.chance(0.3)) return;
    const pairs = first.pairs === 2 ? random.pick([2, 3, 3] as const) : random.pick([3, 2] as const);
    const policy = random.pick(['latest', 'source', 'target'] as const);
    this.#later = [random.chance(0.6) ? { ...first, pairs, policy } : first, ...others];
    const at = Math.max(...others.map(({ from }) => from)) || this.#when();
    this.#add({ do: 'rules', site: 0, rolling: random.chance(0.5) }, at);
    // What holds under the new rules alone.
    this.#add({ do: 'edit', site: 0, flow: 0, n: 0, side: 'source', pair: 2, value: this.#text() }, at - 6000);
  }

  /** Plain edits of a record, so that a lie has something to be about. */
  #believe(): void {
    const of = { site: 0, flow: 0, n: 0 };
    this.#add({ do: 'edit', ...of, side: 'source', pair: 2, value: this.#text() }, 5000);
    for (let i = 0; i < 3; i++) {
      this.#add({ do: 'edit', ...of, side: 'source', pair: i % 2, value: this.#text() }, 9000 + i * 14_000);
      this.#add({ do: 'touch', ...of, side: 'target' }, 17_000 + i * 14_000);
    }
    this.#add({ do: 'edit', ...of, side: 'target', pair: 0, value: this.#text() }, 54_000);
    if (this.#random.chance(0.3)) this.#add({ do: 'delete', ...of, n: this.#records - 1, side: 'target' }, 45_000);
  }

  #deletions(): void {
    const random = this.#random;
    for (let i = 2 + random.int(3); i > 0; i--) {
      const of = this.#any();
      const side = random.pick(['source', 'target'] as const);
      const at = random.between(6000, 22_000);
      this.#add({ do: 'delete', ...of, side }, at);
      if (random.chance(0.7)) this.#add({ do: 'sweep', site: of.site }, at + random.between(500, 3000));
      // Before it is believed, or after.
      const soon = random.chance(0.4);
      if (random.chance(0.7))
        this.#add({ do: 'undelete', ...of, side }, at + random.between(soon ? 1000 : 22_000, soon ? 22_000 : 36_000));
    }
  }

  #bulk(): void {
    const random = this.#random;
    const at = random.between(24_000, 30_000);
    const what = random.pick(['delete', 'recreate', 'blank', 'same'] as const);
    if (what === 'recreate') this.#flows = this.#flows.map((plan) => ({ ...plan, onTargetDeleted: 'recreate' }));
    this.#add({ do: 'bulk', what, value: `All${++this.#values}` }, at);
    this.#add({ do: 'sweep', site: 0 }, at + 3000);
    if (random.chance(0.6)) this.#add({ do: random.pick(['approve', 'approve', 'withdraw'] as const), site: 0 }, at + 28_000);
  }

  #outage(): void {
    const side = this.#random.pick(['source', 'target'] as const);
    const at = 26_000;
    this.#add({ do: 'outage', side, ms: 780_000 }, at);
    const other = side === 'source' ? 'target' : 'source';
    for (let n = 0; n < this.#records; n++)
      this.#add({ do: 'edit', site: 0, flow: 0, n, side: other, pair: 0, value: this.#text() }, at + 500);
    this.#add({ do: 'sweep', site: 0 }, at + 33_000);
  }

  #trouble(): void {
    const random = this.#random;
    for (let i = random.int(3); i > 0; i--) {
      const site = random.int(this.#sites);
      const kind = random.next();
      if (kind < 0.3) this.#add({ do: 'crash', site, all: random.chance(0.4) });
      else if (kind < 0.6) this.#add({ do: 'freeze', site, ms: Math.floor(random.between(5000, 40_000)) });
      else this.#add({ do: 'sweep', site });
    }
    const side = random.pick(['source', 'target'] as const);
    if (this.#theme === 'outage') return;
    if (random.chance(0.2)) this.#add({ do: 'clock', side, ms: random.pick([-90_000, -3_600_000, 60_000]) });
    if (random.chance(0.2)) this.#add({ do: 'blip', side, ms: Math.floor(random.between(3000, 40_000)) });
  }
}
