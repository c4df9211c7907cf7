import assert from 'node:assert/strict';
import { rulesOf } from '../../activities/observation.ts';
import type { Connector } from '../../connectors/connector.ts';
import type { Flow } from '../../flows/flow.ts';
import type { Store } from '../../store/store.ts';
import type { LinkActivities, LinkRecord } from '../../workflows/contract.ts';
import { newRecord } from '../../workflows/linkRecord.ts';
import { against, operationsWith } from '../connectors/oddCrm.ts';
import { makeStore } from '../support/world.ts';
import { SMALL_FLOW } from '../support/flow.ts';
import { activitiesAt } from './activitiesAt.ts';

const FLOW: Flow = {
  ...SMALL_FLOW,
  properties: [
    { source: 'FirstName', target: 'givenName', type: 'string', direction: 'both', when: [] },
    { source: 'LastName', target: 'familyName', type: 'string', direction: 'both', when: [] },
  ],
};
const T0 = '2026-01-01T00:00:00.000Z';
const VERSION = '001767225600.000000000';
const row = (more: object = {}): Record<string, unknown> => ({
  id: '7',
  updatedAt: T0,
  givenName: 'Kari',
  familyName: 'Lie',
  ...more,
});
const VALUES = { givenName: 'Kari', familyName: 'Lie' };
const RENAME = [{ property: 'givenName', value: 'Eva', expected: 'Kari', why: 'source' as const }] as never;

describe('a link whose CRM lies is blocked, and nothing else is touched', function () {
  let store: Store;
  const began: LinkRecord = newRecord({ flow: 'f', rules: rulesOf(FLOW), sourceId: '1/2', seen: null, now: 0 });
  const linked: LinkRecord = {
    ...began,
    targetId: '7',
    revision: 1,
    seen: { source: null, target: { version: VERSION, instant: T0, values: VALUES, inScope: true, at: [0, 0] } },
  };

  beforeEach(async () => {
    ({ store } = await makeStore());
  });
  afterEach(() => store.close());

  /** A link's activities with what they use; pauses of feeds are none of it. */
  const activities = (crm: Connector): LinkActivities => activitiesAt(1, { flows: [FLOW], store, crm });
  const block = async (): Promise<{ code: string; text: string } | null> => (await store.links.byKey('f:1/2'))?.block ?? null;

  it('a merge names the survivor, read or written', async () => {
    const got = await against(
      () => ({ body: row({ id: '9' }) }),
      {},
      async (crm) => {
        const found = await activities(crm).readRecords({ link: linked, sides: ['target'] });
        assert.deepEqual([found.kind, 'code' in found && found.code], ['refused', 'merged']);
        assert.match((await block())?.text ?? '', /Contact 7 was merged into 9/);
        await activities(crm).writeRecord({ link: { ...linked, revision: 2 }, side: 'target', assignments: RENAME });
        assert.equal((await block())?.code, 'merged');
      },
    );
    assert.ok(got.every(({ method }) => method === 'GET'));
  });

  it('a left-out property blanks nobody', async () => {
    const { familyName: _, ...less } = row();
    await against(
      () => ({ body: less }),
      {},
      async (crm) => {
        await activities(crm).readRecords({ link: linked, sides: ['target'] });
        assert.match((await block())?.text ?? '', /leaves out familyName/);
        assert.equal((await store.links.byKey('f:1/2'))?.seen.target?.values['familyName'], 'Lie');
      },
    );
  });

  it('answered, not stored', async () => {
    await against(
      () => ({ body: row() }),
      {},
      async (crm) => {
        await activities(crm).writeRecord({ link: linked, side: 'target', assignments: RENAME });
        assert.equal((await block())?.code, 'unstored');
        assert.match((await block())?.text ?? '', /answered, not stored/);
      },
    );
  });

  it('answered, and the old value again at a newer version: somebody may have set it back, which the history has', async () => {
    for (const [revision, updatedAt, kept] of [
      [1, T0, []],
      [2, '2026-01-01T00:00:01.000Z', [['Kari', 'Eva', true]]],
    ] as const) {
      await against(
        ({ method }) => (method === 'PATCH' ? { status: 204 } : { body: row({ updatedAt }) }),
        {},
        async (crm) => {
          const told = await activities(crm).writeRecord({ link: { ...linked, revision }, side: 'target', assignments: RENAME });
          assert.equal((await block())?.code, 'unstored');
          assert.equal(told.unanswered, kept.length > 0 ? true : undefined);
        },
      );
      const history = await store.history.ofLink('f:1/2');
      assert.deepEqual(
        history.map(({ before, after, unanswered }) => [before, after, unanswered]),
        kept,
      );
    }
  });

  it('a create that answers nothing and is not found: blocked, and the next try looks before it makes anything', async () => {
    const profile = {
      ...operationsWith({ find: { query: { ext: '{externalId}' } } }),
      record: { externalId: 'ext' },
    };
    let visible = false;
    const got = await against(
      ({ method }, url) => {
        if (method === 'POST') return { status: 204 };
        const mine = row({ ext: 'poweroffice:ContactPerson:1/2' });
        return { body: url.pathname === '/people/7' ? mine : visible ? [mine] : [] };
      },
      profile,
      async (crm) => {
        await activities(crm).createRecord({ link: { ...began, revision: 1 }, values: VALUES });
        assert.equal((await block())?.code, 'ambiguous');
        visible = true;
        // The source was edited meanwhile: what is found is the link's own all the same, so that the edit is carried.
        const edited = { ...VALUES, givenName: 'Eva' };
        const made = await activities(crm).createRecord({ link: { ...began, revision: 2 }, values: edited });
        assert.ok(made.kind === 'created' && made.id === '7' && !made.adopted, JSON.stringify(made));
      },
    );
    assert.equal(got.filter(({ method }) => method === 'POST').length, 1);
  });
});
