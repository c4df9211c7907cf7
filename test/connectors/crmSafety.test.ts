import assert from 'node:assert/strict';
import type { Connector } from '../../connectors/connector.ts';
import { all, failsAs, OPTIONS } from './calls.ts';
import { against, operationsWith } from './oddCrm.ts';

const FIELDS = ['givenName', 'familyName'];
const T0 = '2026-01-01T00:00:00.000Z';
const T1 = '2026-01-02T00:00:00.000Z';
const row = (more: object = {}): Record<string, unknown> => ({
  id: '7',
  updatedAt: T0,
  givenName: 'Kari',
  familyName: 'Lie',
  ...more,
});
const identity = { externalId: 'poweroffice:ContactPerson:1/2', idempotencyKey: 'k' };
const CONDITION = { test: { givenName: 'Kari' }, version: '001767225600.000000000' };

const read = (system: Connector, id = '7') => system.read({ type: 'Contact', id, fields: FIELDS }, OPTIONS);
const create = (system: Connector) =>
  system.create({ type: 'Contact', values: { givenName: 'Kari' }, fields: FIELDS, identity }, OPTIONS);
const update = (system: Connector, condition: { test: Record<string, string>; version: string; etag?: string } = CONDITION) =>
  system.update({ type: 'Contact', id: '7', set: { givenName: 'Eva' }, condition, fields: FIELDS }, OPTIONS);

describe('the CRM connector is safe whatever a system answers', () => {
  it('another id than the one asked for is a merge: it names the survivor, and nothing is written', async () => {
    const got = await against(
      () => ({ body: row({ id: '9' }) }),
      {},
      async (system) => {
        const error = await failsAs(read(system), 'merged');
        assert.match(error.text, /Contact 7 was merged into 9/);
        await failsAs(update(system), 'merged');
      },
    );
    assert.deepEqual(
      got.map(({ method }) => method),
      ['GET', 'GET'],
    );
  });

  it('a record that names the one it was merged into, or says that it is deleted, is not in step with anything', async () => {
    await against(
      () => ({ body: row({ masterId: 12 }) }),
      { record: { mergedInto: 'masterId' } },
      async (system) => await failsAs(read(system), 'merged'),
    );
    await against(
      (_, url) => ({
        body: url.pathname === '/people' ? [row({ archived: true }), row({ id: '8', archived: false })] : row({ archived: true }),
      }),
      { record: { gone: [{ path: 'archived', equals: true }] } },
      async (system) => {
        await failsAs(read(system), 'gone');
        const ids = [];
        for await (const page of system.ids({ type: 'Contact' }, OPTIONS)) ids.push(...page.ids);
        assert.deepEqual(ids, ['8']);
      },
    );
  });

  it('a property that an answer leaves out is an error, unless the profile says so and a check has seen it', async () => {
    const { familyName: _, ...less } = row();
    for (const [profile, absentSeen, fails] of [
      [{}, false, true],
      [{}, true, true],
      [{ record: { absent: 'noValue' } }, false, true],
      [{ record: { absent: 'noValue' } }, true, false],
    ] as const)
      await against(
        () => ({ body: less }),
        { ...profile, given: { absentSeen: absentSeen ? ['Contact'] : [] } },
        async (system) => {
          if (fails) assert.match((await failsAs(read(system), 'refused')).text, /leaves out familyName of Contact/);
          else assert.equal((await read(system)).fields['familyName'], null);
        },
      );
  });

  it('a row that cannot be read is set aside, and the feed goes on', async () => {
    const { familyName: _, ...less } = row({ id: '8' });
    await against(
      () => ({ body: [row(), less, { givenName: 'nobody' }, row({ id: '9', updatedAt: T1 })] }),
      {},
      async (system) => {
        const pages = [];
        for await (const page of system.changed({ type: 'Contact', fields: FIELDS, since: T0 }, OPTIONS)) pages.push(page);
        assert.deepEqual(
          pages.flatMap(({ records }) => records.map(({ id }) => id)),
          ['7', '9'],
        );
        assert.deepEqual(
          pages.flatMap(({ unreadable = [] }) => unreadable.map(({ id }) => id)),
          ['8', undefined],
        );
        assert.equal(pages.at(-1)?.after, T1);
      },
    );
  });

  it('success that stored nothing is told from success: the old value at an unmoved version, after the lag', async () => {
    for (const answered of [{ body: row() }, { status: 204 }, { body: row({ givenName: 'Eva' }) }])
      await against(
        ({ method }) => (method === 'PATCH' ? answered : { body: row() }),
        {},
        async (system) => assert.match((await failsAs(update(system), 'unstored')).text, /answered, not stored/),
      );
  });

  it('what a system makes of a value is stored, and so is a value whose stamp did not move', async () => {
    let kept = row();
    await against(
      ({ method }) => {
        if (method === 'PATCH') kept = row({ givenName: 'EVA', updatedAt: T1 });
        return { body: kept };
      },
      {},
      async (system) => assert.equal((await update(system)).fields['givenName'], 'EVA'),
    );
    kept = row();
    await against(
      ({ method }) => {
        if (method === 'PATCH') kept = row({ givenName: 'Eva' });
        return method === 'PATCH' ? { status: 204 } : { body: kept };
      },
      {},
      async (system) => assert.equal((await update(system)).fields['givenName'], 'Eva'),
    );
  });

  it('the old value that may be what a system makes of the new one is read once more: a replica may have shown it', async () => {
    const padded = { test: { givenName: 'KARI' }, version: '001767225600.000000000' };
    const write = (system: Connector): ReturnType<Connector['update']> =>
      system.update({ type: 'Contact', id: '7', set: { givenName: ' Kari ' }, condition: padded, fields: FIELDS }, OPTIONS);
    for (const last of [row({ givenName: ' KARI ', updatedAt: T1 }), row({ givenName: 'KARI' })]) {
      // It is read before the write, too.
      let seen = 0;
      const got = await against(
        ({ method }) => (method === 'PATCH' ? { status: 204 } : { body: seen++ < 2 ? row({ givenName: 'KARI' }) : last }),
        {},
        async (system) => assert.equal((await write(system)).fields['givenName'], last['givenName']),
      );
      assert.equal(got.filter(({ method }) => method === 'GET').length, 3);
    }
  });

  it('a stamp that is null falls back along the list', async () => {
    await against(
      () => ({ body: row({ updatedAt: null, createdAt: T0 }) }),
      { record: { changed: ['updatedAt', 'createdAt'] } },
      async (system) => assert.equal((await read(system)).instant, T0),
    );
  });

  it('a create that answers an id alone, or a place, is followed by a read', async () => {
    const answers = [
      [{ body: { error: false, message: 'ok', id: 7 } }, { answer: 'id' }],
      [{ body: { error: false, message: 'ok', id: 7 } }, {}],
      [{ body: { data: { id: 7 } } }, { answer: 'id', id: 'data.id' }],
      [{ status: 201, headers: { location: '/people/7?x=1' } }, { answer: 'none' }],
      [{ status: 204, headers: { location: "https://x/api/people('7')" } }, {}],
    ] as const;
    for (const [answer, operation] of answers) {
      const got = await against(
        ({ method }) => (method === 'POST' ? answer : { body: row() }),
        operationsWith({ create: operation }),
        async (system) => {
          const { id, readBack } = await create(system);
          assert.deepEqual([id, readBack], ['7', true], 'and may have been edited between');
        },
      );
      assert.deepEqual(
        got.map(({ method, target }) => `${method} ${target}`),
        ['POST /people', 'GET /people/7'],
      );
    }
  });

  it('a create that answers nothing is followed by a look-up, never by a second create', async () => {
    const profile = {
      ...operationsWith({ find: { query: { ext: '{externalId}' } } }),
      record: { externalId: 'ext' },
    };
    for (const there of [true, false]) {
      let looks = 0;
      const got = await against(
        ({ method }) =>
          method === 'POST' ? { status: 204 } : { body: there && ++looks > 2 ? [row({ ext: identity.externalId })] : [] },
        profile,
        async (system) => {
          if (there) assert.equal((await create(system)).readBack, true);
          else assert.match((await failsAs(create(system), 'unstored')).text, /not made a second time/);
        },
      );
      assert.equal(got.filter(({ method }) => method === 'POST').length, 1);
    }
  });

  it('a record that was made and cannot be read is not made again either', async () => {
    const { familyName: _, ...less } = row();
    await against(
      ({ method }) => ({ body: method === 'POST' ? { id: '7' } : less }),
      {},
      async (system) => assert.match((await failsAs(create(system), 'unstored')).text, /Contact 7 was made.*leaves out/),
    );
  });

  it('a record that was made and is said not to be there keeps its id, by which it is looked at first', async () => {
    const profile = operationsWith({ create: { answer: 'id' } });
    await against(
      ({ method }) => (method === 'POST' ? { body: { id: 7 } } : { status: 404, body: {} }),
      profile,
      async (system) => assert.equal((await failsAs(create(system), 'unstored')).made, '7'),
    );
  });

  it('errors are classed by the profile, then by status; the text is the system’s own', async () => {
    const profile = {
      errors: [
        { status: 403, at: 'errors.0.code', equals: 'FORBIDDEN', operations: ['read'], is: 'gone' },
        { status: 400, contains: 'unique', is: 'taken' },
        { status: 200, at: 'error', is: 'refused' },
        { status: 403, at: 'code', equals: 'LIMIT', is: 'throttled' },
      ],
      errorText: ['errors.0.message', 'error.say'],
    };
    const cases = [
      [403, { errors: [{ message: 'no permission', code: 'FORBIDDEN' }] }, 'gone', '403 no permission'],
      [400, { message: 'not unique' }, 'taken', '400 {"message":"not unique"}'],
      [200, { error: { say: 'broken' } }, 'refused', '200 broken'],
      [403, { code: 'LIMIT' }, 'throttled', '403 {"code":"LIMIT"}'],
      [403, { code: 'OTHER' }, 'refused', '403 {"code":"OTHER"}'],
      [404, {}, 'gone', '404 {}'],
      [401, {}, 'unauthorized', '401 {}'],
      [412, {}, 'contended', '412 {}'],
      [422, {}, 'refused', '422 {}'],
      [503, {}, 'unreachable', '503 {}'],
    ] as const;
    for (const [status, body, failure, text] of cases)
      await against(
        () => ({ status, body }),
        profile,
        async (system) => assert.equal((await failsAs(read(system), failure)).text, text),
      );
    await against(
      () => ({ status: 409, body: {} }),
      {},
      async (system) => await failsAs(create(system), 'taken'),
    );
  });

  it('a blank goes out as %20, an id escaped, and what is sent need not be wrapped as what returns', async () => {
    const got = await against(
      ({ method }, url) => ({ body: { data: method === 'GET' && url.pathname === '/people' ? [] : row({ id: 'a b/c' }) } }),
      {
        ...operationsWith({
          list: { items: 'data' },
          changes: { query: { filter: { updated: { _gte: '{since}' } } } },
          read: { out: 'data' },
          create: { out: 'data' },
        }),
        stamps: { format: 'iso-blank', lagMs: 0, inclusive: true, sorted: 'yes' },
      },
      async (system) => {
        await read(system, 'a b/c');
        await all(system.changed({ type: 'Contact', fields: FIELDS, since: T0 }, OPTIONS));
        await create(system);
      },
    );
    assert.equal(got[0]?.target, '/people/a%20b%2Fc');
    assert.equal(got[1]?.target, `/people?filter=${encodeURIComponent('{"updated":{"_gte":"2026-01-01 00:00:00.000Z"}}')}`);
    assert.ok(got[1]?.target.includes('%20') && !got[1].target.includes('+'));
    assert.deepEqual(got[2]?.body, { givenName: 'Kari' });
  });
});
