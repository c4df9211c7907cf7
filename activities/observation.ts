import { createHash } from 'node:crypto';
import { scopeOf, valueFields, type Condition, type Flow } from '../flows/flow.ts';
import { systemTitle } from '../flows/names.ts';
import type { Side } from '../flows/side.ts';
import { sameValue, type Value, type Values } from '../flows/values.ts';
import type { Observation, Rules } from '../workflows/core/state.ts';
import type { Snapshot } from '../connectors/connector.ts';

/** Whether a record with these fields meets a condition. */
function meets(condition: Condition, value: Value | undefined): boolean {
  if (condition.oneOf !== undefined) return condition.oneOf.some((each) => sameValue(value, each));
  return condition.equals === undefined ? !sameValue(value, condition.not ?? null) : sameValue(value, condition.equals);
}

const fieldsOf = new WeakMap<Flow, Record<Side, readonly string[]>>();

/** A flow's value fields, listed once: a sweep asks for each record. */
function valuesOf(flow: Flow, side: Side): readonly string[] {
  const known = fieldsOf.get(flow) ?? { source: valueFields(flow, 'source'), target: valueFields(flow, 'target') };
  fieldsOf.set(flow, known);
  return known[side];
}

/** Whether a record with these fields takes part on one side of a flow. */
export function takesPart(flow: Flow, side: Side, field: (name: string) => Value | undefined): boolean {
  return scopeOf(flow, side).every((condition) => meets(condition, field(condition.property)));
}

/** A write tests that the record is still in scope: for `not` and `oneOf` by the value that was seen. */
function scopeSeen(flow: Flow, side: Side, record: Snapshot): Pick<Observation, 'scope'> {
  const open = scopeOf(flow, side).filter(({ equals }) => equals === undefined);
  if (open.length === 0) return {};
  return { scope: Object.fromEntries(open.map(({ property }) => [property, record.fields[property] ?? null])) };
}

/** A record as one side of a flow sees it: mapped values alone, and whether it takes part. */
export function observationOf(flow: Flow, side: Side, record: Snapshot): Observation {
  return {
    version: record.version,
    instant: record.instant,
    ...(record.etag === undefined ? {} : { etag: record.etag }),
    values: Object.fromEntries(valuesOf(flow, side).map((name) => [name, record.fields[name] ?? null])),
    inScope: takesPart(flow, side, (name) => record.fields[name]),
    ...scopeSeen(flow, side, record),
    at: record.at,
  };
}

/** Whether a record that was found shows what was sent to create it, or what the system made of that. */
export function isAsSent(record: Snapshot, observation: Observation, sent: Values): boolean {
  return (
    record.untouched === true || Object.keys(observation.values).every((name) => sameValue(sent[name], observation.values[name]))
  );
}

/** Whether a flow has each of these properties: what others plan who know more of them, nobody here would see in an answer. */
export function hasProperties(flow: Flow, side: Side, properties: readonly string[]): boolean {
  const names = new Set(flow.properties.map((pair) => pair[side]));
  return properties.every((name) => names.has(name) || (side === 'target' && name in rulesOf(flow).create));
}

const known = new WeakMap<Flow, Rules>();

/** A flow's rules as its links carry them, made once a flow. The hash tells a changed flow from the one that a link knows. */
export function rulesOf(flow: Flow): Rules {
  const made = known.get(flow) ?? makeRules(flow);
  known.set(flow, made);
  return made;
}

function makeRules(flow: Flow): Rules {
  const rules = {
    names: {
      source: `${systemTitle(flow.source.system)} ${flow.source.type}`,
      target: `${systemTitle(flow.target.system)} ${flow.target.type}`,
    },
    pairs: flow.properties.map((pair) => ({
      source: pair.source,
      target: pair.target,
      type: pair.type,
      policy: pair.policy ?? flow.policy,
      ...(pair.back === undefined ? {} : { back: pair.back }),
      ...(pair.direction === 'both' ? {} : { direction: pair.direction }),
      ...(pair.when.length === 0 ? {} : { when: pair.when }),
    })),
    onSourceDeleted: flow.onSourceDeleted,
    onTargetDeleted: flow.onTargetDeleted,
    // A record that is made must be in the scope for which it is made.
    create: {
      ...Object.fromEntries(
        flow.target.scope.flatMap(({ property, equals }) => (equals === undefined ? [] : [[property, equals]])),
      ),
      ...flow.create,
    },
  };
  return { hash: createHash('sha256').update(JSON.stringify(rules)).digest('hex').slice(0, 12), ...rules };
}
