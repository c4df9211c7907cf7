import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { advance } from '../../workflows/core/lifecycle.ts';
import { applyOutcome } from '../../workflows/core/outcome.ts';
import { receive } from '../../workflows/core/receive.ts';
import { SIDES } from '../../flows/side.ts';
import type { LinkState } from '../../workflows/core/state.ts';
import type { Decision, Step } from '../../workflows/core/step.ts';
import { ANSWERS, LATER, SITUATIONS, TOLD } from './situations.ts';

const statusOf = ({ status, ended }: LinkState): string => (ended === null ? status : `${status}: ${ended}`);

function waitInWords(until: number | null): string {
  if (until === null) return 'wait';
  const seconds = Math.round((until - LATER) / 1000);
  return seconds >= 3600 ? `wait ${Math.ceil(seconds / 3600)} h` : `wait ${seconds} s`;
}

function stepInWords(step: Step): string {
  switch (step.kind) {
    case 'wait':
      return waitInWords(step.until);
    case 'write':
      return `write ${step.side}`;
    case 'remove':
      return `remove ${step.side}`;
    case 'read':
      return `read ${step.sides.length === SIDES.length ? 'both' : step.sides.join()}`;
    case 'confirm':
      return `confirm ${step.side}`;
    default:
      return step.kind;
  }
}

/** What a link has noted: how its state differs, the clock and the counts that every step moves aside. */
function noted(before: LinkState, after: LinkState): string[] {
  const sides = SIDES.flatMap((side) => {
    const [was, is] = [before[side], after[side]];
    return [
      ...(is.id === was.id ? [] : [`${side} ${is.id ?? 'forgotten'}`]),
      ...(is.seen?.version === was.seen?.version ? [] : [`${side} seen`]),
      ...(is.doubt === was.doubt ? [] : [is.doubt ? `${side} in doubt` : `${side} sure`]),
      ...(is.gone?.reads === was.gone?.reads && is.gone?.nextAt === was.gone?.nextAt
        ? []
        : [is.gone === null ? `${side} there` : `${side} missed ${is.gone.reads}`]),
      ...(is.older === was.older ? [] : [`${side} older?`]),
      ...(JSON.stringify(is.base) === JSON.stringify(was.base) ? [] : [`${side} base`]),
    ];
  });
  const block = [before.block, after.block].map((each) => (each ? `${each.code}${each.both ? ' twice' : ''}` : 'none'));
  return [
    ...sides,
    ...(block[0] === block[1] ? [] : [`block ${block[1]}`]),
    ...(before.conflicts.join() === after.conflicts.join() ? [] : [`conflicts ${after.conflicts.join() || 'none'}`]),
    ...(JSON.stringify(before.verdicts) === JSON.stringify(after.verdicts)
      ? []
      : [Object.keys(after.verdicts).length > 0 ? 'verdict' : 'verdict done']),
    ...(before.chosen === after.chosen ? [] : [after.chosen === undefined ? 'choice done' : 'choice']),
    ...(before.paused === after.paused ? [] : [after.paused ? 'paused' : 'resumed']),
    ...(before.approved === after.approved ? [] : [after.approved === true ? 'approval' : 'approval done']),
    ...(before.rules.hash === after.rules.hash ? [] : ['rules']),
    ...((before.requests?.length ?? 0) === (after.requests?.length ?? 0) ? [] : ['request']),
    ...(before.incarnation === after.incarnation ? [] : [`incarnation ${after.incarnation}`]),
    ...(after.final === true && before.final !== true ? ['final'] : []),
    ...(after.revision > before.revision + 1 ? [`revision ${after.revision}`] : []),
  ];
}

/** What a link comes to: its status, what it does next, what it has noted. */
const comesTo = (before: LinkState, { state, step }: Decision): readonly [string, string, string] => [
  statusOf(state),
  stepInWords(step),
  noted(before, state).join(', '),
];

function lines(title: string, rows: readonly (readonly string[])[]): string[] {
  const body = rows.map(([what = '', status = '', step = '', notes = '']) =>
    `  ${what.padEnd(36)} ${status.padEnd(24)} ${step.padEnd(15)} ${notes}`.trimEnd(),
  );
  return [title, ...body, ''];
}

const messageTable = (): string[] =>
  Object.entries(SITUATIONS).flatMap(([title, before]) =>
    lines(
      title,
      Object.entries(TOLD).map(([what, message]) => [what, ...comesTo(before, advance(receive(before, message, LATER), LATER))]),
    ),
  );

const answerTable = (): string[] =>
  Object.entries(ANSWERS).flatMap(([title, { from, answers }]) =>
    lines(
      title,
      Object.entries(answers).map(([what, outcome]) => [
        what,
        ...comesTo(from.state, advance(applyOutcome(from.state, { step: from.step, outcome, now: LATER }), LATER)),
      ]),
    ),
  );

/** The columns of the table in docs/link-lifecycle.md, and its rows. */
const SHORT_SITUATIONS = {
  linking: 'linking',
  'in-step': 'in-step',
  conflict: 'conflict',
  'blocked: a value': 'blocked',
  'paused: by hand': 'paused',
  'ended: out of scope': 'out of scope',
  'ended: unlinked by hand': 'unlinked',
  'ended: target gone': 'target gone',
};
const SHORT_MESSAGES = {
  'the source was edited': 'observed: source edited',
  'the target was edited': 'observed: target edited',
  'the source as it was': 'observed: nothing new',
  'the source left the scope': 'observed: left the scope',
  'other rules': 'observed: other rules',
  'vanished: source': 'vanished: source',
  'vanished: target': 'vanished: target',
  'sync, also as an update': 'sync',
  retry: 'retry',
  pause: 'pause',
  resume: 'resume',
  unlink: 'unlink',
  relink: 'relink',
  link: 'link',
  settle: 'settle',
};

function shortCell(before: LinkState, { state, step }: Decision): string {
  const becomes = state.status !== before.status && state.status !== 'ended' ? state.status : state.ended;
  if (statusOf(state) !== statusOf(before)) return `=> ${(becomes ?? state.status).replace(' by hand', '')}`;
  return step.kind === 'wait' ? '-' : step.kind;
}

const shortTable = (): string[] => {
  const rows = Object.entries(SHORT_MESSAGES).map(([what, short]) => [
    short,
    ...Object.keys(SHORT_SITUATIONS).map((situation) => {
      const [before, message] = [SITUATIONS[situation], TOLD[what]];
      assert.ok(before && message, `${situation}, ${what}`);
      return shortCell(before, advance(receive(before, message, LATER), LATER));
    }),
  ]);
  return [['', ...Object.values(SHORT_SITUATIONS)], ...rows].map((row) =>
    row
      .map((cell, i) => cell.padEnd(i === 0 ? 24 : 13))
      .join(' ')
      .trimEnd(),
  );
};

const expected = (file: string): string[] =>
  readFileSync(new URL(file, import.meta.url), 'utf8')
    .split('\n')
    .filter((line) => !line.startsWith('#'));

describe('every status of a link', () => {
  it('against every message: status, next step, what is noted', () => {
    assert.deepEqual(messageTable(), expected('everyMessage.txt'));
  });
  it('every step against whatever an attempt answers', () => {
    assert.deepEqual(answerTable(), expected('everyAnswer.txt'));
  });
  it('against every message, in short, as docs/link-lifecycle.md has it', () => {
    const page = readFileSync(new URL('../../docs/link-lifecycle.md', import.meta.url), 'utf8');
    const [, table = ''] = /## What each message does\n[^]*?```\n([^]*?)\n```/.exec(page) ?? [];
    assert.deepEqual(shortTable(), table.split('\n'));
  });
});
