import assert from 'node:assert/strict';
import type { Side } from '../../flows/side.ts';
import { advance } from '../../workflows/core/lifecycle.ts';
import { applyOutcome, type Outcome } from '../../workflows/core/outcome.ts';
import { BLOCK_RETRY_MS } from '../../workflows/core/lifecycle.ts';
import { receive } from '../../workflows/core/receive.ts';
import type { LinkState, Observation } from '../../workflows/core/state.ts';
import { recordOf, stateOf } from '../../workflows/linkRecord.ts';
import { begin } from './begin.ts';
import { inStep, NOW, RULES, seen, observed } from './links.ts';

describe('the life of a link', () => {
  it('a refused deletion is tried again as any refusal is, and not at once', () => {
    let state = receive(inStep({ ...RULES, onSourceDeleted: 'delete' }), { kind: 'vanished', side: 'source' }, NOW);
    for (const at of [NOW, NOW + 10_000]) {
      const { state: next, step } = advance(state, at);
      state = applyOutcome(next, { step, outcome: { kind: 'read', found: { source: 'gone' } }, now: at });
    }
    const { state: removing, step } = advance(state, NOW + 20_000);
    assert.equal(step.kind, 'remove');
    const refused = applyOutcome(removing, {
      step,
      outcome: { kind: 'refused', side: 'target', code: '409', properties: [] },
      now: NOW + 20_000,
    });
    assert.deepEqual(advance(refused, NOW + 21_000).step, { kind: 'wait', until: NOW + 20_000 + BLOCK_RETRY_MS });
    assert.equal(refused.status, 'blocked');
    // Its reason may be back meanwhile: it is read again before anything is deleted for its sake.
    for (const [again, at] of [
      [refused, NOW + 20_000 + BLOCK_RETRY_MS],
      [receive(refused, { kind: 'retry' }, NOW), NOW + 21_000],
    ] as const) {
      const looking = advance(again, at);
      assert.deepEqual(looking.step, { kind: 'read', sides: ['source'] });
      const read = (source: Observation | 'gone'): LinkState =>
        applyOutcome(looking.state, { step: looking.step, outcome: { kind: 'read', found: { source } }, now: at });
      assert.equal(advance(read('gone'), at).step.kind, 'remove');
      const back = advance(read(seen(1, { FirstName: 'Kari', LastName: 'Lie' })), at);
      assert.deepEqual([back.step.kind, back.state.status, back.state.source.gone], ['store', 'in-step', null]);
    }
  });

  it('a record whose partner refuses to be read ends its link once it is deleted', () => {
    const read = { code: 'merged', side: 'target', properties: [], at: NOW, read: true } as const;
    const blocked: LinkState = { ...inStep(), status: 'blocked', block: read };
    let state = receive(blocked, { kind: 'vanished', side: 'target' }, NOW);
    assert.deepEqual(advance(state, NOW).step, { kind: 'wait', until: NOW + BLOCK_RETRY_MS }, 'the target is not asked again');
    state = receive(state, { kind: 'vanished', side: 'source' }, NOW);
    for (const at of [NOW, NOW + 10_000]) {
      const { state: next, step } = advance(state, at);
      assert.deepEqual([step.kind, 'side' in step && step.side], ['confirm', 'source']);
      state = applyOutcome(next, { step, outcome: { kind: 'read', found: { source: 'gone' } }, now: at });
    }
    assert.equal(advance(state, NOW + 20_000).state.ended, 'source gone');
  });

  it('a record that refused to be read is read again once a list lacks it, and ends its link once it is gone', () => {
    for (const side of ['source', 'target'] as const) {
      const read = { code: 'refused', side, properties: [], at: NOW, read: true } as const;
      const fresh = inStep();
      const blocked: LinkState = { ...fresh, status: 'blocked', block: read };
      const missedBefore = { reads: 2, since: NOW - 20_000, lastAt: NOW - 10_000, nextAt: NOW };
      for (const gone of [null, missedBefore]) {
        let state: LinkState = { ...blocked, [side]: { ...fresh[side], gone } };
        assert.equal(advance(state, NOW).step.kind, 'wait');
        state = receive(state, { kind: 'vanished', side }, NOW);
        const { state: asking, step } = advance(state, NOW);
        assert.deepEqual([step.kind, 'side' in step && step.side], ['confirm', side]);
        // Refused once more, it waits: that the next lists lack it, too, is known.
        const refused = applyOutcome(asking, { step, outcome: { kind: 'refused', side, code: '403', properties: [] }, now: NOW });
        const again = receive(refused, { kind: 'vanished', side }, NOW + 1);
        assert.deepEqual(advance(again, NOW + 1).step, { kind: 'wait', until: NOW + BLOCK_RETRY_MS });
        for (let at = NOW; state.ended === null && at < NOW + 700_000; at += 1000) {
          const next = advance(state, at);
          state = next.state;
          if (next.step.kind === 'confirm')
            state = applyOutcome(state, { step: next.step, outcome: { kind: 'read', found: { [side]: 'gone' } }, now: at });
        }
        assert.equal(state.ended, `${side} gone`);
      }
    }
  });

  it('a record that is back as it was, after its partner was not to be deleted, is known by a full comparison', () => {
    const gone = { reads: 2, nextAt: 0 };
    const held = inStep({ ...RULES, onSourceDeleted: 'delete' });
    const block = { code: '403', side: 'target', properties: [], at: NOW } as const;
    const state: LinkState = { ...held, status: 'blocked', block, source: { ...held.source, gone } };
    const message = { kind: 'observed', side: 'source', id: '1/2', seen: held.source.seen as Observation } as const;
    assert.equal(advance(receive(state, message, NOW), NOW).step.kind, 'wait', 'an echo says nothing');
    assert.equal(advance(receive(state, { ...message, regressed: true }, NOW), NOW).step.kind, 'read');
    const braked = receive({ ...state, block: { ...block, code: 'held' } }, { ...message, regressed: true }, NOW);
    assert.equal(braked.block?.code, 'held', 'the brake holds');
  });

  it('a target that cannot be read does not hold up the deletion of its source', () => {
    const confirmed = (before: LinkState, at: number, outcome: Outcome): LinkState => {
      const { state, step } = advance(before, at);
      assert.equal(step.kind, 'confirm');
      return applyOutcome(state, { step, outcome, now: at });
    };
    const refusal = (side: Side): Outcome => ({ kind: 'refused', side, code: 'merged', properties: [] });
    const merged = confirmed(receive(inStep(), { kind: 'vanished', side: 'target' }, NOW), NOW, refusal('target'));
    assert.equal(advance(merged, NOW + 1).step.kind, 'wait', 'what was refused is not asked again');
    const suspected = receive(merged, { kind: 'vanished', side: 'source' }, NOW + 1);
    const once = confirmed(suspected, NOW + 1, { kind: 'read', found: { source: 'gone' } });
    assert.deepEqual([once.status, advance(once, NOW + 2).step], ['blocked', { kind: 'wait', until: NOW + 6001 }]);
    const { state } = advance(confirmed(once, NOW + 7000, { kind: 'read', found: { source: 'gone' } }), NOW + 7000);
    assert.deepEqual([state.ended, state.block], ['source gone', null]);
    const found = seen(1, { FirstName: 'Kari', LastName: 'Lie' });
    // A source that cannot be read is there for all that anybody knows: nothing ends, and its target waits with it.
    const unread = confirmed(receive(inStep(), { kind: 'vanished', side: 'source' }, NOW), NOW, refusal('source'));
    const wait = { kind: 'wait', until: NOW + BLOCK_RETRY_MS };
    assert.deepEqual(advance(receive(unread, { kind: 'vanished', side: 'target' }, NOW + 1), NOW + 1).step, wait);
    // It is there after all, or cannot be read either: nothing is asked again before a day, or a person.
    for (const outcome of [{ kind: 'read', found: { source: found } }, refusal('source')] as const)
      assert.equal(advance(confirmed(suspected, NOW + 1, outcome), NOW + 2).step.kind, 'wait');
  });

  it('what the store had seen earlier says nothing against reads that have missed the record since', () => {
    const fresh = inStep();
    const gone = { reads: 2, nextAt: NOW, since: NOW };
    const state = { ...fresh, target: { ...fresh.target, gone } };
    const news = { target: seen(2, { givenName: 'Kari', familyName: 'Lie' }) };
    const next = applyOutcome(state, { step: { kind: 'store', revision: 2 }, outcome: { kind: 'stored', news }, now: NOW });
    assert.deepEqual([next.target.seen?.version, next.target.gone], [news.target.version, gone]);
  });

  it('a deletion for the sake of a record whose partner was gone before is not its own: the record may come back', () => {
    for (const before of [true, false]) {
      const state = inStep({ ...RULES, onSourceDeleted: 'delete' });
      const step = { kind: 'remove', revision: 2, side: 'target' } as const;
      const outcome = { kind: 'removed', ...(before ? { before } : {}) } as const;
      const ended = applyOutcome(state, { step, outcome, now: NOW });
      assert.deepEqual([ended.ended, ended.final === true], ['source gone', !before]);
    }
  });

  it('a 404 that no list announced counts after ten minutes of reads and a list that lacks the record', () => {
    const { state: asked, step } = advance(observed(inStep(), 'source', seen(2, { FirstName: 'Eva', LastName: 'Lie' })), NOW);
    let state = applyOutcome(asked, { step, outcome: { kind: 'read', found: { target: 'gone' } }, now: NOW });
    const reads: number[] = [];
    let lists = 0;
    for (let at = NOW; at <= NOW + 700_000; at += 1000) {
      const next = advance(state, at);
      state = next.state;
      assert.equal(state.ended, null);
      if (next.step.kind !== 'confirm') continue;
      reads.push(at - NOW);
      if (next.step.list) lists += 1;
      state = applyOutcome(state, { step: next.step, outcome: { kind: 'read', found: { target: 'gone' } }, now: at });
    }
    assert.deepEqual(reads, [10_000, 30_000, 70_000, 150_000, 310_000, 600_000]);
    assert.equal(lists, 1, 'a list is asked for once the reads suffice');
    const found = observed(state, 'target', seen(9, { givenName: 'Kari', familyName: 'Lie' }));
    assert.equal(advance(found, NOW + 700_000).step.kind, 'write', 'found again: it goes on at once');
    state = receive(state, { kind: 'vanished', side: 'target' }, NOW + 700_000);
    const last = advance(state, NOW + 700_000);
    assert.equal(last.step.kind, 'confirm');
    state = applyOutcome(last.state, {
      step: last.step,
      outcome: { kind: 'read', found: { target: 'gone' } },
      now: NOW + 700_000,
    });
    assert.equal(advance(state, NOW + 700_000).state.ended, 'target gone');
  });

  it('an outage of a system ends nothing, however long', () => {
    let state = receive(inStep(), { kind: 'vanished', side: 'target' }, NOW);
    for (let at = NOW; at <= NOW + 4_000_000; at += 5000) {
      const next = advance(state, at);
      state =
        next.step.kind === 'confirm'
          ? applyOutcome(next.state, { step: next.step, outcome: { kind: 'read', found: { target: 'unsure' } }, now: at })
          : next.state;
    }
    assert.equal(state.ended, null);
  });

  it('a closed link that is seen again is read directly; only a read that finds the record revives it', () => {
    const closed: LinkState = {
      ...inStep(),
      status: 'ended',
      ended: 'source gone',
      source: { ...inStep().source, gone: { reads: 2, nextAt: 0 } },
    };
    assert.equal(advance(closed, NOW).step.kind, 'close');
    assert.equal(advance(observed(closed, 'source', seen(1, { FirstName: 'Kari', LastName: 'Lie' })), NOW).step.kind, 'close');
    const newer = observed(closed, 'source', seen(2, { FirstName: 'Eva', LastName: 'Lie' }));
    for (const asked of [newer, receive(closed, { kind: 'sync' }, NOW)]) {
      const { state, step } = advance(asked, NOW);
      assert.deepEqual(step, { kind: 'read', sides: ['source', 'target'] });
      const gone = applyOutcome(state, { step, outcome: { kind: 'read', found: { source: 'gone', target: 'gone' } }, now: NOW });
      assert.equal(advance(gone, NOW).step.kind, 'close');
      const source = seen(2, { FirstName: 'Eva', LastName: 'Lie' });
      const target = seen(1, { givenName: 'Kari', familyName: 'Lie' });
      const back = applyOutcome(state, { step, outcome: { kind: 'read', found: { source, target } }, now: NOW });
      assert.equal(advance(back, NOW).step.kind, 'write');
      for (const missed of ['gone', 'unsure'] as const) {
        // One 404 of the partner may be a gateway's: it is asked for again, for ten minutes, before a person is told.
        let alone = applyOutcome(state, { step, outcome: { kind: 'read', found: { source, target: missed } }, now: NOW });
        const waits = advance(alone, NOW);
        assert.deepEqual(waits.step, { kind: 'wait', until: NOW + 10_000 });
        const again = advance(waits.state, NOW + 600_000);
        assert.deepEqual(again.step, { kind: 'read', sides: ['source', 'target'] });
        alone = applyOutcome(again.state, {
          ...again,
          outcome: { kind: 'read', found: { source, target: missed } },
          now: NOW + 600_000,
        });
        const told = missed === 'gone' ? ['blocked', 'partner-gone'] : ['ended', undefined];
        assert.deepEqual([alone.status, alone.block?.code], told);
      }
    }
    assert.equal(advance({ ...newer, final: true }, NOW).step.kind, 'close', 'Tandem deleted it');
  });

  it('a system that went back is believed once two direct reads show the same older version', () => {
    let state = observed(inStep(), 'source', seen(5, { FirstName: 'Eva', LastName: 'Lie' }));
    const write = advance(state, NOW);
    state = applyOutcome(write.state, {
      step: write.step,
      outcome: { kind: 'written', seen: seen(5, { givenName: 'Eva', familyName: 'Lie' }) },
      now: NOW,
    });
    const old = seen(4, { FirstName: 'Siv', LastName: 'Lie' });
    state = receive(state, { kind: 'observed', side: 'source', id: '1/2', seen: old, regressed: true }, NOW);
    for (let read = 0; read < 2; read++) {
      const { state: reading, step } = advance(state, NOW);
      assert.deepEqual(step, { kind: 'read', sides: ['source'] });
      state = applyOutcome(reading, { step, outcome: { kind: 'read', found: { source: old } }, now: NOW });
    }
    const { state: believed, step } = advance(state, NOW);
    assert.ok(step.kind === 'write' && step.assignments[0]?.value === 'Siv');
    assert.equal(believed.source.back, seen(5, {}).version);
  });

  it('the answer to its own write counts, also where the clock of the system went back', () => {
    const { state, step } = advance(observed(inStep(), 'source', seen(5, { FirstName: 'Eva', LastName: 'Lie' })), NOW);
    const after = applyOutcome(
      { ...state, target: { ...state.target, seen: seen(9, { givenName: 'Kari', familyName: 'Lie' }) } },
      { step, outcome: { kind: 'written', seen: seen(8, { givenName: 'Eva', familyName: 'Lie' }) }, now: NOW },
    );
    assert.deepEqual(advance(after, NOW).step, { kind: 'wait', until: null });
    // A page that was read before the write is no newer edit.
    const stale = observed(after, 'target', seen(9, { givenName: 'Kari', familyName: 'Lie' }));
    assert.deepEqual(advance(stale, NOW).step, { kind: 'read', sides: ['target'] });
    // Once its clock is past what it went back behind, there are no such pages any more.
    const next = advance(observed(after, 'source', seen(6, { FirstName: 'Siv', LastName: 'Lie' })), NOW);
    const past = applyOutcome(next.state, {
      step: next.step,
      outcome: { kind: 'written', seen: seen(10, { givenName: 'Siv', familyName: 'Lie' }) },
      now: NOW,
    });
    assert.deepEqual([after.target.back, past.target.back], [seen(9, {}).version, undefined]);
  });

  it('a refusal of one side lets the other go on, and two refusals wait for a day', () => {
    const { state, step } = advance(observed(inStep(), 'source', seen(2, { FirstName: 'Eva', LastName: 'Lie' })), NOW);
    const refusal = { kind: 'refused' as const, code: '422', properties: [] };
    const blocked = applyOutcome(state, { step, outcome: { ...refusal, side: 'target' }, now: NOW });
    const edited = observed(blocked, 'target', seen(2, { givenName: 'Kari', familyName: 'Moe' }));
    const again = advance(edited, NOW);
    assert.ok(again.step.kind === 'write' && again.step.side === 'target', 'an edit tries again');
    const still = applyOutcome(again.state, { step: again.step, outcome: { ...refusal, side: 'target' }, now: NOW });
    const other = advance(still, NOW);
    assert.ok(other.step.kind === 'write' && other.step.side === 'source' && other.step.status === 'blocked');
    const done = applyOutcome(other.state, {
      step: other.step,
      outcome: { kind: 'written', seen: seen(3, { FirstName: 'Eva', LastName: 'Moe' }) },
      now: NOW,
    });
    assert.deepEqual([done.status, done.block?.side, advance(done, NOW).step.kind], ['blocked', 'target', 'wait']);
    const both = applyOutcome(other.state, { step: other.step, outcome: { ...refusal, side: 'source' }, now: NOW });
    assert.equal(advance(both, NOW).step.kind, 'wait');
  });

  it('a refusal is over once the value that was refused is taken back on the other side', () => {
    const { state, step } = advance(observed(inStep(), 'source', seen(2, { FirstName: 'Eva!', LastName: 'Lie' })), NOW);
    const refusal = { kind: 'refused' as const, code: '422', side: 'target' as const, properties: ['givenName'] };
    const blocked = { ...applyOutcome(state, { step, outcome: refusal, now: NOW }), stored: true };
    const both = { source: 'Kari', target: 'Kari' };
    const settled = receive(blocked, { kind: 'settle', property: 'FirstName', ...both, why: 'restored' }, NOW);
    const back = advance(settled, NOW);
    assert.ok(back.step.kind === 'write' && back.step.side === 'source');
    // As where the refusal of another property of that side still stood while it was planned.
    const write = { ...back.step, status: 'blocked' as const };
    const written = applyOutcome(
      { ...back.state, block: blocked.block },
      { step: write, outcome: { kind: 'written', seen: seen(3, { FirstName: 'Kari', LastName: 'Lie' }) }, now: NOW },
    );
    const after = advance(written, NOW);
    assert.deepEqual([after.step.kind, after.state.status, after.state.block], ['store', 'in-step', null]);
  });

  it('a paused flow waits in its link, and nothing is stored as ended', () => {
    const { state, step } = advance(observed(inStep(), 'source', seen(2, { FirstName: 'Eva', LastName: 'Lie' })), NOW);
    const paused = applyOutcome(state, {
      step,
      outcome: { kind: 'refused', side: 'target', code: 'flow-paused', properties: [] },
      now: NOW,
    });
    const waiting = advance(paused, NOW);
    assert.deepEqual([waiting.step.kind, waiting.state.status], ['store', 'paused']);
    assert.equal(advance({ ...waiting.state, stored: true }, NOW + 1000).step.kind, 'wait');
    assert.equal(advance(receive(waiting.state, { kind: 'retry' }, NOW), NOW).step.kind, 'write');
  });

  it('unlinked before it had a target, it can be linked again', () => {
    const fresh = begin({ rules: RULES, sourceId: '1/2', seen: seen(1, { FirstName: 'Kari', LastName: 'Lie' }), now: NOW });
    const unlinked = receive(fresh, { kind: 'unlink' }, NOW);
    const again = receive(unlinked, { kind: 'relink' }, NOW);
    const { state, step } = advance(again, NOW);
    assert.deepEqual(step, { kind: 'read', sides: ['source'] });
    const read = applyOutcome(state, {
      step,
      outcome: { kind: 'read', found: { source: seen(1, { FirstName: 'Kari', LastName: 'Lie' }) } },
      now: NOW,
    });
    assert.equal(advance(read, NOW).step.kind, 'create');
  });

  it('let go while its record is missed, it says again how it ended: only then a list of ids can tell that it is gone', () => {
    let state = observed(inStep(), 'source', seen(2, { FirstName: 'Kari', LastName: 'Lie' }, { inScope: false }));
    state = receive(advance(state, NOW).state, { kind: 'pause' }, NOW);
    state = receive(advance(state, NOW).state, { kind: 'resume' }, NOW);
    const { state: reading, step } = advance(state, NOW);
    assert.ok(step.kind === 'read' && reading.status === 'paused', step.kind);
    state = applyOutcome(reading, { step, outcome: { kind: 'read', found: { source: 'gone' } }, now: NOW });
    const next = advance(state, NOW);
    assert.deepEqual([next.step.kind, next.state.status, next.state.ended], ['store', 'ended', 'out of scope']);
  });

  it('begun again from the store it tries at once what met a pause: that may be over, and nobody could tell it', () => {
    const paused = { ...inStep(), status: 'paused' as const };
    const record = recordOf({ ...paused, block: { code: 'flow-paused', side: 'target', properties: [], at: NOW } });
    const begun = stateOf(record, RULES);
    assert.deepEqual([begun.block, begun.paused], [null, false]);
    assert.equal(advance(begun, NOW).state.status, 'in-step');
    assert.equal(stateOf({ ...record, block: null }, RULES).paused, true, 'paused by itself');
  });
});
