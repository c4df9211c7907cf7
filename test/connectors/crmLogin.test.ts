import assert from 'node:assert/strict';
import { secretsFrom } from '../../connectors/crm/auth.ts';
import { parseProfile } from '../../connectors/crm/profile/read.ts';
import { OPTIONS, failsAs } from './calls.ts';
import { connectorOf, EVERY, idsOf, oddCrm, profileText, ROWS } from './oddCrm.ts';

const secret = secretsFrom({ CRM_USER: 'kari', CRM_PASSWORD: 'p"w' });

describe('a log-in', () => {
  it('gives a token that is used until it is refused, and then one more', async () => {
    let logIns = 0;
    const server = await oddCrm(({ target, headers }) => {
      if (target === '/auth/login') return { body: { data: { token: `t${++logIns}` } } };
      return headers['x-session'] === `t${logIns === 1 ? 0 : logIns}` ? { body: ROWS } : { status: 401, body: {} };
    });
    try {
      const body = { identity: '{user}', password: '{password}' };
      const auth = { kind: 'login', path: '/auth/login', body, token: 'data.token', header: 'X-Session', scheme: '' };
      const system = connectorOf(server.url, { auth, basePath: '/api' }, { secret });
      assert.deepEqual(await idsOf(system), EVERY);
      assert.deepEqual(await idsOf(system), EVERY);
      assert.equal(logIns, 2);
      assert.deepEqual(server.got[0]?.body, { identity: 'kari', password: 'p"w' });
    } finally {
      await server.close();
    }
  });

  it('gives a cookie, which goes back as one; what it takes is a form where the profile says so', async () => {
    const server = await oddCrm(({ target, headers }) => {
      if (target === '/login') return { body: {}, headers: { 'set-cookie': 'sid=abc; Path=/; HttpOnly' } };
      return headers['cookie'] === 'sid=abc' ? { body: ROWS } : { status: 403, body: {} };
    });
    try {
      const system = connectorOf(
        server.url,
        { auth: { kind: 'login', path: '/login', sendAs: 'form', cookie: 'sid' } },
        { secret },
      );
      assert.deepEqual(await idsOf(system), EVERY);
      assert.equal(new URLSearchParams(String(server.got[0]?.body)).get('password'), 'p"w');
    } finally {
      await server.close();
    }
  });

  it('that is refused, or answered without a token, is the key’s fault, in the system’s own words', async () => {
    const answers = [
      { status: 400, body: { title: 'Failed to authenticate.' } },
      { status: 200, body: { other: 1 } },
    ];
    for (const answer of answers) {
      const server = await oddCrm(() => answer);
      try {
        const system = connectorOf(server.url, { auth: { kind: 'login', path: '/login', token: 'token' } }, { secret });
        const error = await failsAs(system.read({ type: 'Contact', id: '1', fields: [] }, OPTIONS), 'unauthorized');
        assert.match(error.text, /Failed to authenticate|without token/);
        assert.doesNotMatch(error.text, /p"w/);
      } finally {
        await server.close();
      }
    }
  });

  it('needs a place for what it gives, and knows user and password alone', () => {
    const of = (auth: object): unknown => parseProfile(profileText({ auth: { kind: 'login', path: '/l', ...auth } }), 'p.json');
    assert.throws(() => of({}), /needs either token, where its answer shows one, or cookie/);
    assert.throws(() => of({ token: 't', body: { u: '{usr}' } }), /\{usr\} is no variable of a log-in: did you mean "user"/);
    assert.throws(() => of({ token: 't', password: 'hunter2' }), /a secret must not stand in a profile/);
  });
});
