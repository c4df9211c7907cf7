import type { Outcome } from '../../workflows/core/outcome.ts';
import type { Observation, Rules } from '../../workflows/core/state.ts';
import { observed, renew, steer, sync } from '../../workflows/link.ts';
import type { Side } from '../../flows/side.ts';
import { RULES } from '../workflows/links.ts';
import { eventually } from '../support/world.ts';
import { ANSWER_PATHS } from './answerPaths.ts';
import type { Path, Walker } from './walker.ts';

const refused = (code: string, side: Side = 'target', properties: readonly string[] = []): Outcome => ({
  kind: 'refused',
  side,
  code,
  properties,
});
const policy = (name: 'ask' | 'source' | 'target'): Partial<Rules> => ({
  pairs: RULES.pairs.map((pair) => ({ ...pair, policy: name })),
});

/** Edits of both sides that meet, while the link is paused. */
async function bothEdited(link: Walker, at: { source: Observation['at']; target: Observation['at'] }): Promise<void> {
  await link.steer({ kind: 'pause' });
  await link.edit('source', { FirstName: 'Siv', LastName: 'Moe' }, { at: at.source });
  await link.edit('target', { givenName: 'Eva', familyName: 'Dal' }, { at: at.target });
  await link.steer({ kind: 'resume' });
}

/** The target is deleted, and the link believes it. */
const targetGone = (link: Walker): Promise<unknown> =>
  link.vanish('target').then(() => link.until('the end', (state) => state.ended === 'target gone' && state.stored));

/** Every path that a link's code has, by name; each is recorded as a history. */
export const PATHS: Readonly<Record<string, Path>> = {
  'create-and-edit': {
    walk: async (link) => {
      await link.edit('source', { FirstName: 'Eva' });
      await link.settled();
      await link.edit('target', { familyName: 'Dal' });
      await link.settled();
    },
  },
  'both-sides-written': {
    walk: async (link) => {
      await link.steer({ kind: 'pause' });
      await link.edit('source', { FirstName: 'Eva' });
      await link.edit('target', { familyName: 'Dal' });
      await link.steer({ kind: 'resume' });
    },
  },
  'conflict-later-wins': { walk: (link) => bothEdited(link, { source: [50, 60], target: [70, 80] }) },
  'conflict-tie': { walk: (link) => bothEdited(link, { source: [50, 60], target: [55, 65] }) },
  'conflict-policy': { rules: policy('target'), walk: (link) => bothEdited(link, { source: [70, 80], target: [50, 60] }) },
  'conflict-and-settle': {
    rules: policy('ask'),
    walk: async (link) => {
      await bothEdited(link, { source: [50, 60], target: [70, 80] });
      await link.steer({ kind: 'settle', property: 'FirstName', source: 'Liv', target: 'Liv', why: 'decided by hand' });
      await link.steer({ kind: 'settle', property: 'LastName', source: 'Dal', target: 'Dal', why: 'decided by hand' });
    },
  },
  ...ANSWER_PATHS,
  'blocked-and-retried': {
    walk: async (link) => {
      link.stand.refuse = true;
      await link.edit('source', { FirstName: 'Eva' });
      await link.settled();
      // The other side goes on.
      link.stand.refuse = false;
      await link.edit('target', { familyName: 'Dal' });
      await link.settled();
      await link.steer({ kind: 'retry' });
    },
  },
  'blocked-until-an-edit': {
    walk: async (link) => {
      link.stand.refuse = true;
      await link.edit('source', { FirstName: 'Eva' });
      await link.settled();
      link.stand.refuse = false;
      await link.edit('source', { FirstName: 'Liv' });
      await link.settled();
    },
  },
  'no-such-type': {
    rules: { pairs: [{ source: 'FirstName', target: 'age', type: 'integer', policy: 'latest' }] },
    walk: (link) => link.edit('source', { FirstName: '7' }).then(() => link.settled()),
  },
  held: {
    walk: async (link) => {
      link.stand.next.writeRecord = [refused('held')];
      await link.edit('source', { FirstName: '' });
      await link.settled();
      await link.steer({ kind: 'retry', approved: true });
    },
  },
  'flow-paused': {
    walk: async (link) => {
      link.stand.next.writeRecord = [refused('flow-paused')];
      await link.edit('source', { FirstName: 'Eva' });
      await link.settled();
      await link.steer({ kind: 'retry' });
    },
  },
  'paused-and-resumed': {
    walk: async (link) => {
      await link.steer({ kind: 'pause' });
      link.editUnseen('source', { FirstName: 'Eva' });
      await link.edit('source', { LastName: 'Moe' });
      await link.steer({ kind: 'resume' });
    },
  },
  'waits-for-a-match': {
    prepare: (stand) => void (stand.next.createRecord = [refused('unmatched'), refused('ambiguous')]),
    walk: async (link) => {
      await link.steer({ kind: 'retry' });
      await link.steer({ kind: 'retry' });
      await link.edit('source', { FirstName: 'Eva' });
      await link.settled();
    },
  },
  matched: {
    prepare: (stand) => {
      stand.values.target = { givenName: 'Eva', familyName: 'Lie' };
      stand.next.createRecord = [
        { kind: 'created', id: 'c7', seen: stand.shown('target', { at: [9, 9] }), adopted: true, matched: true },
      ];
    },
    walk: (link) => link.settled(),
  },
  'found-not-made': {
    prepare: (stand) => {
      stand.values.target = { givenName: 'Gammel', familyName: 'Lie' };
      stand.next.createRecord = [{ kind: 'created', id: 'c1', seen: stand.shown('target'), adopted: false, found: true }];
    },
    walk: (link) => link.settled(),
  },
  'linked-by-hand': {
    prepare: (stand) => void (stand.next.createRecord = [refused('ambiguous')]),
    walk: (link) => link.steer({ kind: 'link', id: 'c9' }),
  },
  'scope-off-and-on': {
    walk: async (link) => {
      link.stand.inScope = false;
      await link.edit('source', { FirstName: 'Eva' });
      await link.settled();
      link.stand.inScope = true;
      await link.edit('source', { FirstName: 'Liv' });
      await link.settled();
    },
  },
  'unlink-and-relink': {
    walk: async (link) => {
      await link.steer({ kind: 'unlink' });
      link.editUnseen('source', { FirstName: 'Eva' });
      await link.edit('source', { LastName: 'Moe' });
      await link.steer({ kind: 'relink' });
    },
  },
  'rules-changed': {
    walk: async (link) => {
      const rules: Rules = { ...RULES, hash: 'h2', pairs: RULES.pairs.slice(0, 1) };
      await link.edit('source', { FirstName: 'Eva' }, { rules });
      await link.settled();
      await link.edit('source', { LastName: 'Moe' });
      await link.settled();
    },
  },
  'a-pair-added': {
    walk: async (link) => {
      const role = { source: 'Role', target: 'role', type: 'string', policy: 'target' } as const;
      const rules: Rules = { ...RULES, hash: 'h2', pairs: [...RULES.pairs, role] };
      await link.edit('source', { Role: 'Head' }, { rules });
      await link.settled();
    },
  },
  'a-pair-comes-to-hold': {
    rules: {
      pairs: [
        ...RULES.pairs,
        {
          source: 'Role',
          target: 'role',
          type: 'string',
          policy: 'latest',
          when: [{ side: 'source', property: 'Kind', value: 'vip' }],
        },
      ],
    },
    prepare: (stand) => Object.assign(stand.values.source, { Role: 'Head' }),
    walk: async (link) => {
      await link.edit('source', { Kind: 'vip' });
      await link.settled();
    },
  },
  'read-on-request': {
    walk: async (link) => {
      link.editUnseen('target', { familyName: 'Dal' });
      await link.handle.executeUpdate(sync, { args: [{ wait: true, requestId: 'r1' }] });
      await link.handle.executeUpdate(sync, { args: [{ wait: true, requestId: 'r1' }] });
      await link.handle.executeUpdate(sync, { args: [{ wait: false }] });
      await link.handle.signal('pause');
      await link.handle.signal('resume');
      await link.settled();
    },
  },
  'an-equal-version-with-other-values': {
    walk: async (link) => {
      const now = link.stand.shown('target');
      await link.handle.signal(observed, { side: 'target', id: 'c1', seen: { ...now, values: { givenName: 'Eva' } } });
      await link.settled();
    },
  },
  'source-gone': { walk: (link) => link.vanish('source').then(() => link.handle.result()) },
  'source-gone-target-removed': {
    rules: { onSourceDeleted: 'delete' },
    walk: (link) => link.vanish('source').then(() => link.handle.result()),
  },
  'removal-refused': {
    rules: { onSourceDeleted: 'delete' },
    walk: async (link) => {
      link.stand.next.removeRecord = [refused('409')];
      await link.vanish('source');
      await link.until('the refusal', (state) => state.block?.code === '409');
      await link.handle.signal(steer, { kind: 'retry' });
      await link.handle.result();
    },
  },
  'source-gone-target-merged': {
    walk: async (link) => {
      link.stand.next.readRecords = [refused('merged')];
      await link.vanish('target');
      await link.until('the refusal', (state) => state.block?.read === true);
      await link.vanish('source');
      await link.handle.result();
    },
  },
  'target-unreadable-then-gone': {
    walk: async (link) => {
      link.stand.next.readRecords = [refused('403')];
      await link.steer({ kind: 'sync' });
      await link.until('the refusal', (state) => state.block?.read === true);
      await targetGone(link);
    },
  },
  'target-gone': { walk: targetGone },
  'target-gone-and-back': {
    walk: async (link) => {
      await targetGone(link);
      link.stand.gone = null;
      await link.edit('target', { givenName: 'Eva' });
      await link.settled();
    },
  },
  'target-gone-and-made-again': {
    rules: { onTargetDeleted: 'recreate' },
    walk: async (link) => {
      await link.vanish('target');
      await link.until('a new one', (state) => state.incarnation === 2 && state.stored && state.status === 'in-step');
    },
  },
  'missed-once': {
    walk: async (link) => {
      await link.vanish('target');
      await link.until('one read', (state) => (state.target.gone?.reads ?? 0) > 0);
      link.stand.gone = null;
      await link.edit('target', { givenName: 'Eva' });
      await link.settled();
    },
  },
  'missed-unannounced': {
    walk: async (link) => {
      link.stand.gone = 'target';
      await link.handle.signal(steer, { kind: 'sync' });
      await link.until('one read', (state) => (state.target.gone?.reads ?? 0) > 0);
      link.stand.gone = null;
      await link.edit('target', { givenName: 'Eva' });
      await link.settled();
    },
  },
  'missed-unannounced-twice': {
    walk: async (link) => {
      link.stand.gone = 'target';
      await link.handle.signal(steer, { kind: 'sync' });
      await link.until('two reads', (state) => (state.target.gone?.reads ?? 0) > 1);
      await link.settled();
    },
  },
  'went-back': {
    walk: async (link) => {
      await link.edit('source', { FirstName: 'Eva' });
      await link.settled();
      link.stand.version -= 12;
      link.stand.values.source['FirstName'] = 'Kari';
      await link.steer({ kind: 'sync' });
    },
  },
  renewed: {
    walk: async (link) => {
      await link.edit('source', { FirstName: 'Eva' });
      await link.settled();
      const { runId } = await link.handle.describe();
      await link.handle.signal(renew);
      await eventually(
        'another run',
        () => link.handle.describe(),
        (now) => now.runId !== runId,
      );
      await link.edit('source', { FirstName: 'Liv' });
      await link.settled();
    },
  },
  'past-200-events': {
    walk: async (link) => {
      for (let i = 0; i < 230; i++) await link.edit('source', { FirstName: `Eva${i}` });
      await link.settled();
      await link.edit('source', { LastName: 'Moe' });
      await link.settled();
    },
  },
};
