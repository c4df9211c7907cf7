import { instantKey, instantMs } from '../../flows/instant.ts';
import { sameValues } from '../../flows/values.ts';
import { SystemClock, type ClockEstimate } from '../../connectors/clock.ts';
import { requireUnchanged, type CallOptions, type Connector, type Page, type Snapshot } from '../../connectors/connector.ts';
import type { Breaks } from './breaks.ts';
import { shownOf, type ModelRecord } from './modelRecord.ts';
import type { ModelSystem } from './modelSystem.ts';

/** What an installation remembers of a system, whichever worker found it out. */
export interface SystemMemory {
  test: 'unknown' | 'works' | 'missing';
  clock: ClockEstimate | null;
}

interface Line {
  readonly system: ModelSystem;
  readonly memory: SystemMemory;
  readonly breaks: Breaks;
  /** The worker's clock. */
  readonly now: () => number;
}

/** A worker's connector to a model system; its estimate of the system's clock is its own. */
export function modelConnector({ system, memory, breaks, now }: Line): Connector {
  const { nature, name, random } = system;
  const clock = new SystemClock();
  if (memory.clock) clock.restore(memory.clock);

  /** On the way: the answer's Date header tells of the system's clock. */
  async function way(options: CallOptions, write = false): Promise<boolean> {
    const sent = now();
    const lost = await system.way(options, write);
    clock.date(new Date(system.now()).toUTCString(), sent, now() + 1);
    return lost;
  }

  function show(row: ModelRecord, fields: readonly string[]): Snapshot {
    const shown = shownOf(row, fields, nature);
    const ms = instantMs(shown.instant);
    return { ...shown, at: breaks.has('uncorrected-clocks') ? [ms, ms] : clock.correct(ms) };
  }

  function stamped(row: ModelRecord, sent: number, before?: ModelRecord): void {
    if (row.version === before?.version && !breaks.has('poisoned-clock')) return;
    clock.write(row.stamp, { sentAt: sent, receivedAt: now() });
    memory.clock = clock.estimate;
  }

  const connector: Connector = {
    name,
    title: name,
    clock,
    catalogue: { system: name, types: [] },
    lagMs: nature.lagMs + 200,
    conditionProbe: {
      isDoubtful: (refusal) => refusal.status === 400,
      readsApartMs: 5500,
      isOpen: () => memory.test !== 'works',
      settleMissing: () => Promise.resolve(void (memory.test = 'missing')),
      warning: '',
    },

    features: () => ({
      conditional: nature.conditional === 'test' && memory.test === 'missing' ? 'none' : nature.conditional,
      externalId: nature.externalId,
      uniqueExternalId: nature.uniqueExternalId,
      idempotencyKey: nature.idempotencyKey,
    }),

    check: () => Promise.resolve({ identity: name }),

    async *changed({ type, fields, since }, options): AsyncIterable<Page> {
      await way(options);
      for (const [i, rows] of system.list(type, since === null ? '' : instantKey(since)).entries()) {
        if (i > 0) await way(options);
        const records = rows.map((row) => show(row, fields));
        const page = { records, after: records.at(-1)?.instant ?? null };
        // Now and then a page comes twice.
        if (random.chance(system.faults)) yield page;
        yield page;
      }
    },

    async *ids({ type }, options) {
      await way(options);
      yield { ids: system.ids(type) };
    },

    async read({ id, fields }, options) {
      await way(options);
      return show(system.row(id), fields);
    },

    async create({ type, values, fields, identity }, options) {
      const sent = now();
      const lost = await way(options, true);
      const row = system.create(type, values, identity);
      await system.back(lost, options);
      const seen = show(row, fields);
      if (!options.again) stamped(row, sent);
      return seen;
    },

    async update({ type, id, set, condition, fields }, options) {
      const tests = nature.conditional === 'test' && !options.unconditional && memory.test !== 'missing';
      const etag = nature.conditional === 'etag' ? condition.etag : undefined;
      const { IsPerson: _, ...values } = condition.test;
      const test = breaks.has('scope-untested') ? values : condition.test;
      if (!tests && etag === undefined && !options.unconditional && !breaks.has('blind-writes')) {
        const found = await connector.read({ type, id, fields: Object.keys(test) }, options);
        requireUnchanged(name, test, (property) => found.fields[property]);
      }
      const sent = now();
      const lost = await way(options, true);
      const before = system.rows.get(id);
      const row = system.update(id, set, { test: tests ? test : null, etag, expected: condition.test });
      if (tests) memory.test = 'works';
      await system.back(lost, options);
      stamped(row, sent, before);
      const answer = show(row, fields);
      const asSent = breaks.has('base-from-sent') && !sameValues(answer.fields, set);
      return asSent ? { ...answer, fields: { ...answer.fields, ...set } } : answer;
    },

    async remove(_type, id, options) {
      const lost = await way(options, true);
      system.remove(id);
      await system.back(lost, options);
    },

    async find({ type, by, fields }, options) {
      await way(options);
      return system.found(type, by).map((row) => show(row, fields));
    },
  };
  return connector;
}
