import type { Refused } from '../../flows/dataflow/bind.ts';
import { conditionsInWords, scopeOf, type Condition, type Flow } from '../../flows/flow.ts';
import type { Trouble } from '../../flows/faults.ts';
import { STATUSES } from '../../workflows/core/state.ts';
import type { Link, LinkDetails, StatusReport } from '../model.ts';
import { ago, table } from './table.ts';

const scopeInWords = (scope: readonly Condition[]): string => (scope.length === 0 ? 'all' : conditionsInWords(scope));

const ARROWS = { both: '<->', toTarget: '->', toSource: '<-' } as const;

function relationInWords(flow: Flow): string {
  const from = `${flow.source.system} ${flow.source.type} (${scopeInWords(scopeOf(flow, 'source'))})`;
  const to = `${flow.target.system} ${flow.target.type}${flow.target.scope.length > 0 ? ` (${scopeInWords(flow.target.scope)})` : ''}`;
  const by = flow.match
    .map((each) => `${each.source} = ${each.target}${each.normalise.length > 0 ? ` (${each.normalise.join(', ')})` : ''}`)
    .join(', or ');
  const when = `when its ${flow.connected.map((each) => `${each.property} is a linked ${each.type}`).join(', or its ')}`;
  switch (flow.relation) {
    case 'create':
    case 'conditional':
      return `every ${from} has a ${to}`;
    case 'merge-or-create':
    case 'conditional-merge-or-create':
      return `every ${from} is linked with a ${to} that matches by ${by}, else one is created`;
    case 'match':
      return `a ${from} is linked with a ${to} that matches by ${by}; none is created`;
    case 'connected':
      return `a ${to} is created for a ${from} ${when}`;
    case 'match-or-connected':
      return `a ${from} is linked with a ${to} that matches by ${by}, else one is created ${when}`;
  }
}

/** The flows as tables. */
export function showFlows(flows: readonly Flow[], refused: readonly Refused[]): string {
  const parts = flows.map((flow) => {
    const head = [
      flow.name,
      ...(flow.description === undefined ? [] : [`  ${flow.description}`]),
      `  ${relationInWords(flow)}; conflicts: ${flow.policy}; source deleted: ${flow.onSourceDeleted}; target deleted: ${flow.onTargetDeleted}`,
    ];
    const rows = flow.properties.map((pair) => [
      pair.source,
      ARROWS[pair.direction],
      pair.target,
      pair.type,
      pair.policy ?? flow.policy,
    ]);
    const body =
      rows.length === 0
        ? '  no properties: the pair is linked and watched'
        : table([flow.source.type, '', flow.target.type, 'type', 'conflicts'], rows).replace(/^/gm, '  ');
    return [...head, body].join('\n');
  });
  const not = refused.map(({ line, from, to, why }) =>
    [`not run, line ${line}: ${from} to ${to}`, ...why.map((text) => `  ${text}`)].join('\n'),
  );
  return [...parts, ...not].join('\n\n');
}

/** Pairs by status, feeds and their lag, and what is blocked by which reason. */
export function showStatus(status: StatusReport): string {
  const paused = status.paused.length > 0 ? `paused by hand: ${status.paused.join(', ')}; \`tandem resume\` lets them go on` : '';
  return [
    status.troubles.map(showTrouble).join('\n'),
    paused,
    flowsOfStatus(status),
    ...feedsOfStatus(status),
    ...blockedOfStatus(status),
    status.systems.map(systemInWords).join('\n'),
    ['in the Temporal UI', ...status.views.map(({ name, url }) => `  ${name}: ${url}`)].join('\n'),
  ]
    .filter((part) => part !== '')
    .join('\n\n');
}

function flowsOfStatus({ flows, leftOver, refused }: StatusReport): string {
  const counts = table(
    ['flow', ...STATUSES, 'last sync'],
    flows.map((flow) => [flow.flow, ...STATUSES.map((each) => String(flow.pairs[each] ?? 0)), ago(flow.lastSync)]),
  );
  const left = leftOver.map(
    ({ flow, links }) =>
      `left over: ${flow}, ${links} links: no longer configured, so nothing is carried; \`npx tandem remove flow ${flow}\` takes it away, configured again it goes on`,
  );
  const not = refused.map(({ section, why }) => `not run: ${section}: ${why.join('; ')}`);
  return [counts, left.join('\n'), not.join('\n')].filter((part) => part !== '').join('\n\n');
}

/** How far each feed is, what it finds late, what it does not believe, and what it has set aside. */
function feedsOfStatus({ feeds }: StatusReport): string[] {
  const looks = table(
    ['feed', 'last look', 'last full comparison', 'trouble'],
    feeds.map((feed) => [
      feed.feed,
      feed.lagSeconds === null ? 'never' : `${feed.lagSeconds} s ago`,
      ago(feed.sweptAt),
      feed.trouble ?? '',
    ]),
  );
  const late = feeds.flatMap(({ feed, unstamped }) =>
    unstamped
      ? [
          `${feed}: an edit of ${unstamped.fields.join(', ')} moves no stamp, so it may be ${unstamped.hours} h old before it is seen`,
        ]
      : [],
  );
  const doubted = feeds.flatMap((feed) =>
    feed.notBelieved.map(({ sentence, since, advice: next }) => `${sentence}, since ${ago(since)}; ${next}`),
  );
  const aside = feeds.flatMap(({ feed, setAside: { count, first } }) => [
    ...first.map(({ id, since, why }) => [feed, id ?? '(no id)', ago(since), why]),
    ...(count > first.length ? [[feed, `and ${count - first.length} more`, '', '']] : []),
  ]);
  return [
    looks,
    late.join('\n'),
    doubted.join('\n'),
    ...(aside.length > 0 ? [table(['set aside in', 'record', 'since', 'why it is not in step'], aside)] : []),
  ];
}

/** Every reason that blocks some, and what it asks for. */
function blockedOfStatus({ flows }: StatusReport): string[] {
  const blocked = flows.flatMap((flow) => flow.blocked.map((each) => ({ flow: flow.flow, ...each })));
  if (blocked.length === 0) return [];
  const told = [...new Map(blocked.map((each) => [each.code, each])).values()];
  return [
    table(
      ['blocked in', 'reason', 'pairs', 'example', "the system's own words"],
      blocked.map((each) => [each.flow, each.code, String(each.count), each.example, each.reason]),
    ),
    told.map((each) => `${each.code}: ${each.meaning}\n  what to do: ${each.advice}`).join('\n'),
  ];
}

function systemInWords({ system, address, clockOffsetMs, note }: StatusReport['systems'][number]): string {
  const [low, high] = clockOffsetMs ?? [0, 0];
  const offset = clockOffsetMs
    ? `its clock is ${Math.round((low + high) / 2)} ms ahead of ours, give or take ${Math.round((high - low) / 2)} ms`
    : 'clock not measured yet';
  return `${system}: ${address ?? 'not reached yet'}; ${offset}${note === null ? '' : `; ${note}`}`;
}

/** Who stands in the way, since when and why, and what a person can do. */
function showTrouble({ sentence, since, why, advice }: Trouble): string {
  return `${sentence}${since === null ? '' : `, since ${since}`}${why === null ? '' : ` (${why})`}\n  what to do: ${advice}`;
}

/** Links, one a row. */
export function showLinks(links: readonly Link[]): string {
  if (links.length === 0) return 'no links';
  return table(
    ['flow', 'source', 'target', 'status', 'since', 'last change'],
    links.map((link) => [
      link.flow,
      link.sourceId,
      link.targetId ?? '',
      link.ended ? `${link.status}: ${link.ended}` : link.status,
      ago(link.statusSince),
      link.last ? `${link.last.what}, ${ago(link.last.at)}` : '',
    ]),
  );
}

const text = (value: unknown): string =>
  value === null || value === undefined ? '(none)' : typeof value === 'string' ? value : JSON.stringify(value);

/** One link: both sides, base, history, and where to look in the Temporal UI. */
export function showLink(flow: Flow, link: LinkDetails, ui: string): string {
  const { source, target, block, history } = link;
  const rows = flow.properties.map((pair) => [
    pair.source,
    text(source.values[pair.source]),
    text(source.base[pair.source]),
    pair.target,
    text(target.values[pair.target]),
    text(target.base[pair.target]),
  ]);
  return [
    `${source.system} ${source.type} ${link.sourceId} <-> ${target.system} ${target.type} ${link.targetId ?? '(none yet)'}`,
    `status: ${link.ended ? `${link.status}: ${link.ended}` : link.status}, ${ago(link.statusSince)}; revision ${link.revision}${link.last ? `; last change: ${link.last.what}, ${ago(link.last.at)}` : ''}`,
    ...(block
      ? [
          `blocked by ${block.side} (${block.code}) on ${block.properties.join(', ') || 'the record'}: ${block.text}`,
          `  that is: ${block.meaning}`,
          `  what to do: ${block.advice}`,
        ]
      : []),
    ...(link.conflicts.length > 0 ? [`conflict on ${link.conflicts.join(', ')}: both sides were edited`] : []),
    '',
    rows.length === 0
      ? 'no properties are mapped'
      : table(['source property', 'source now', 'source base', 'target property', 'target now', 'target base'], rows),
    '',
    history.length === 0
      ? 'no changes yet'
      : table(
          ['when', 'side', 'property', 'before', 'after', 'why', 'id'],
          history.map((each) => [
            each.at.slice(0, 19).replace('T', ' '),
            each.side,
            each.property,
            text(each.before),
            text(each.after),
            each.unanswered ? `${each.why}; sent, never seen` : each.why,
            each.id,
          ]),
        ),
    '',
    `Temporal UI: ${ui}`,
  ].join('\n');
}
