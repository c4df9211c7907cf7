import { Context } from '@temporalio/activity';
import type { Side } from '../../flows/side.ts';
import type { Value, Values } from '../../flows/values.ts';
import type { LinkActivities, LinkRecord } from '../../workflows/contract.ts';
import type { Outcome } from '../../workflows/core/outcome.ts';
import type { Observation } from '../../workflows/core/state.ts';

/** What a feed or a read shows of a record; instants follow the versions unless told otherwise. */
export const sight = (version: number, values: Values, more: Partial<Observation> = {}): Observation => ({
  version: String(version).padStart(6, '0'),
  instant: '2026-01-01T00:00:00Z',
  values,
  inScope: true,
  at: [version, version],
  ...more,
});

/** Both systems and the store of one link, in memory, behind the activities' contract. */
export class Stand implements LinkActivities {
  readonly values: Record<Side, Record<string, Value>>;
  version = 1;
  /** Every write is refused. */
  refuse = false;
  /** The side that reads do not find. */
  gone: Side | null = null;
  inScope = true;
  /** Outcomes that come before all that the stand would answer, by activity. */
  readonly next: { [Name in keyof LinkActivities]?: Outcome[] } = {};
  readonly done: string[] = [];
  readonly stored: LinkRecord[] = [];

  constructor(source: Values = { FirstName: 'Kari', LastName: 'Lie' }) {
    this.values = { source: { ...source }, target: {} };
  }

  /** How a side is now. */
  shown(side: Side, more: Partial<Observation> = {}): Observation {
    return sight(this.version, { ...this.values[side] }, { inScope: this.inScope, ...more });
  }

  #answer(name: keyof LinkActivities, otherwise: () => Outcome): Promise<Outcome> {
    const scripted = this.next[name]?.shift();
    return Promise.resolve(scripted ?? otherwise());
  }

  createRecord: LinkActivities['createRecord'] = ({ values, chosen }) => {
    this.done.push('create');
    return this.#answer('createRecord', () => {
      this.version += 1;
      this.values.target = { ...values };
      return { kind: 'created', id: chosen ?? 'c1', seen: this.shown('target'), adopted: false };
    });
  };
  writeRecord: LinkActivities['writeRecord'] = ({ side, assignments }) => {
    this.done.push(`write ${side} ${assignments.map(({ value }) => String(value)).join(' ')}`);
    return this.#answer('writeRecord', () => {
      if (this.refuse) return { kind: 'refused', side, code: '422', properties: assignments.map(({ property }) => property) };
      this.version += 1;
      for (const { property, value } of assignments) this.values[side][property] = value;
      return { kind: 'written', seen: this.shown(side) };
    });
  };
  readRecords: LinkActivities['readRecords'] = ({ sides }) => {
    this.done.push(`read ${sides.join(' ')}`);
    return this.#answer('readRecords', () => ({
      kind: 'read',
      found: Object.fromEntries(sides.map((side) => [side, this.gone === side ? 'gone' : this.shown(side)])),
    }));
  };
  removeRecord: LinkActivities['removeRecord'] = ({ side }) => {
    this.done.push(`remove ${side}`);
    this.values[side] = {};
    return this.#answer('removeRecord', () => ({ kind: 'removed' }));
  };
  storeLink: LinkActivities['storeLink'] = ({ link: record }) => {
    this.done.push(`store ${record.ended ?? record.status}`);
    this.stored.push(record);
    return this.#answer('storeLink', () => ({ kind: 'stored' }));
  };
}

const NAMES = ['createRecord', 'writeRecord', 'readRecords', 'removeRecord', 'storeLink'] as const;

/** The activities of a worker, each answered by the stand of the link that asks. */
export const standActivities = (
  standOf: (workflowId: string) => Stand,
): Record<(typeof NAMES)[number], (input: never) => Promise<Outcome>> =>
  Object.fromEntries(
    NAMES.map((name) => [
      name,
      (input: never) => standOf(Context.current().info.workflowExecution?.workflowId ?? '')[name](input),
    ]),
  ) as Record<(typeof NAMES)[number], (input: never) => Promise<Outcome>>;
