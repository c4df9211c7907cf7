import assert from 'node:assert/strict';
import { feedKey, recordKey } from '../../flows/names.ts';
import { FeedTaken } from '../../store/cursors.ts';
import { UNREAD, type CandidateDocument, type HistoryDocument } from '../../store/documents.ts';
import { Store } from '../../store/store.ts';
import { makeStore, mongoUri } from '../support/world.ts';

const change = (more: Partial<HistoryDocument> = {}): HistoryDocument => ({
  _id: 'x',
  link: 'f:1/2',
  flow: 'f',
  at: new Date(),
  side: 'source',
  property: 'a',
  why: 'edited',
  attempt: 1,
  before: 'old',
  after: 'new',
  ...more,
});

const SAYS = { installation: 'a', spacingMs: 100, order: null, beat: 1 };

describe('the store', () => {
  let store: Store;
  let uri: string;
  beforeEach(async () => {
    ({ store, uri } = await makeStore());
  });
  afterEach(() => store.close());

  describe('history', () => {
    it('a later attempt at a change replaces the note of an earlier one, never the other way', async () => {
      await store.history.add([change({ attempt: 2 })]);
      await store.history.add([change({ attempt: 1, after: 'late' })]);
      assert.equal((await store.history.byKey('x'))?.after, 'new');
      await store.history.add([change({ attempt: 3, after: 'again' })]);
      assert.equal((await store.history.byKey('x'))?.after, 'again');
      assert.equal(await store.history.byKey('y'), null);
      assert.equal(await store.history.count(), 1);
    });

    it('gives the changes of a link, newest first, page by page, and forgets those of a flow', async () => {
      const at = (n: number): Date => new Date(Date.now() + n * 1000);
      await store.history.add([
        change({ _id: 'h1', at: at(1) }),
        change({ _id: 'h3', at: at(3) }),
        change({ _id: 'h2', at: at(2), property: 'b' }),
        change({ _id: 'h9', link: 'g:1/2', flow: 'g' }),
      ]);
      const keys = (all: readonly HistoryDocument[]): string[] => all.map(({ _id }) => _id);
      const all = await store.history.ofLink('f:1/2');
      assert.deepEqual(keys(all), ['h3', 'h2', 'h1']);
      assert.deepEqual(keys(await store.history.ofLink('f:1/2', { limit: 1 })), ['h3']);
      assert.deepEqual(keys(await store.history.ofLink('f:1/2', { property: 'b' })), ['h2']);
      assert.deepEqual(keys(await store.history.ofLink('f:1/2', { before: all[0]?.at })), ['h2', 'h1']);
      await store.history.forget('f');
      assert.equal(await store.history.count(), 1);
    });

    it('may be kept for another time than the last start said', async () => {
      await store.prepare(365);
      await store.prepare(30);
      await store.history.add([change()]);
      assert.equal(await store.history.count(), 1);
    });
  });

  it('candidates are found by record, by key and by what they refer to', async () => {
    const ref = recordKey('powerOffice', 'Customer', '7');
    const one: CandidateDocument = { _id: 'f:source:1', flow: 'f', side: 'source', id: '1', keys: ['0:a'], refs: [ref] };
    const two: CandidateDocument = { _id: 'f:target:2', flow: 'f', side: 'target', id: '2', keys: ['0:a', '1:b'], refs: [] };
    await store.candidates.note([one, two], []);
    assert.deepEqual(await store.candidates.byId('f', 'source', ['1', '2']), new Map([['1', one]]));
    assert.deepEqual(await store.candidates.withKeys('f', 'target', ['0:a', '1:b']), [two]);
    assert.deepEqual(await store.candidates.withKeys('g', 'target', ['0:a']), []);
    assert.deepEqual(await store.candidates.referringTo(ref, 5), [one]);
    await store.candidates.note([{ ...two, keys: ['1:c'] }], [one._id]);
    assert.deepEqual(await store.candidates.withKeys('f', 'target', ['0:a']), []);
    assert.equal(await store.candidates.count(), 1);
    await store.candidates.forget('f');
    assert.equal(await store.candidates.count(), 0);
  });

  it('a cursor that was never set is that of an unread feed; setting some fields keeps the others', async () => {
    const feed = feedKey('crm', 'Contact');
    assert.deepEqual(await store.cursors.get(feed), { ...UNREAD, _id: feed });
    const fence = await store.cursors.takeOver(feed);
    await store.cursors.advance(feed, fence, { looks: 3 });
    await store.cursors.advance(feed, fence, { newest: '2026-01-01T00:00:00Z' });
    await store.cursors.ask(feed, { sweepAsked: 5 });
    const expected = { ...UNREAD, _id: feed, fence, looks: 3, newest: '2026-01-01T00:00:00Z', sweepAsked: 5 };
    assert.deepEqual(await store.cursors.get(feed), expected);
    assert.equal((await store.cursors.all()).length, 1);
    await store.cursors.forget(feed);
    assert.deepEqual(await store.cursors.all(), []);
  });

  it('a watcher from before another took over moves no cursor, nor does one whose cursor was forgotten', async () => {
    const feed = feedKey('crm', 'Contact');
    const old = await store.cursors.takeOver(feed);
    const now = await store.cursors.takeOver(feed);
    await store.cursors.advance(feed, now, { looks: 7 });
    await assert.rejects(store.cursors.advance(feed, old, { looks: 1 }), FeedTaken);
    assert.equal((await store.cursors.get(feed)).looks, 7);
    await store.cursors.forget(feed);
    await assert.rejects(store.cursors.advance(feed, now, { looks: 8 }), FeedTaken);
    assert.deepEqual(await store.cursors.all(), []);
  });

  it('remembers what is known of a system', async () => {
    assert.deepEqual(await store.systems.get('crm'), { _id: 'crm' });
    await store.systems.set('crm', { identity: 'https://crm.example' });
    await store.systems.set('crm', { test: 'missing' });
    assert.deepEqual(await store.systems.get('crm'), { _id: 'crm', identity: 'https://crm.example', test: 'missing' });
    assert.equal((await store.systems.all()).length, 1);
  });

  it('counts endings of an hour, and what a person approved', async () => {
    await store.limits.countBulkChange('f', 100, 1);
    const { minutes } = await store.limits.countBulkChange('f', 101, 2);
    assert.deepEqual(minutes, { 100: 1, 101: 2 });
    await store.limits.approve('f', 5);
    assert.equal((await store.limits.countBulkChange('f', 101, 0)).approvedUntil, 5);
    await store.limits.forget('f');
    assert.deepEqual(await store.limits.countBulkChange('f', 101, 0), { minutes: { 101: 0 }, approvedUntil: 0, held: false });
  });

  it('remembers what a person paused until it is resumed', async () => {
    assert.deepEqual(await store.limits.paused(), []);
    await store.limits.setPaused('crm', true);
    await store.limits.setPaused('f', true);
    await store.limits.setPaused('crm', false);
    assert.deepEqual(await store.limits.paused(), ['f']);
  });

  it('a slot is given once, however many ask, and each answer tells who else calls with the key', async () => {
    const { slots } = store;
    const slot = (known: number, next: number) => ({ known, next, user: 'u1', says: SAYS, start: 0, gone: ['u0'] });
    assert.equal(await slots.take('k', slot(0, 1100)), null);
    await slots.say('k', 'u0', SAYS);
    assert.deepEqual((await slots.say('k', 'u1', SAYS)).users, { u0: SAYS, u1: SAYS });
    const taken = await slots.take('k', slot(0, 1100));
    assert.deepEqual(taken, { next: 1100, holdUntil: 0, users: { u1: SAYS }, virtual: 0, finish: { a: 1 }, resets: 0 });
    assert.equal(await slots.take('k', slot(0, 1100)), null);
    assert.equal((await slots.push('k', 2000)).next, 2000);
    assert.equal((await slots.push('k', 1500)).next, 2000);
    assert.equal((await slots.delay('k', 50)).next, 2050);
    assert.equal((await slots.reset('k', 2000, 10)).next, 2050);
    assert.deepEqual(await slots.reset('k', 2050, 10), { ...taken, next: 10, holdUntil: 2000, resets: 1 });
    await slots.leave('k', 'u1');
    assert.deepEqual((await slots.look('k')).users, {});
  });

  it('says how many documents there are of each kind; what it is told outlives a connection', async () => {
    await store.cursors.ask('crm:Contact', { sweepAsked: 1 });
    const again = await Store.connect(uri);
    try {
      assert.deepEqual(await again.sizes(), { links: 0, candidates: 0, history: 0, cursors: 1, systems: 0 });
    } finally {
      await again.close();
    }
  });

  it('installations on one server share the slots of a key, each from a database of its own', async () => {
    const key = `shared-${Math.random()}`;
    const [one, other] = await Promise.all([Store.connect(mongoUri()), Store.connect(mongoUri())]);
    try {
      await one.slots.push(key, 1000);
      assert.equal((await other.slots.push(key, 5)).next, 1000);
    } finally {
      await Promise.all([one.close(), other.close()]);
    }
  });
});
