import assert from 'node:assert/strict';
import { Webhook } from 'standardwebhooks';
import { takeHook } from '../../client/http/hooks.ts';
import { HttpProblem } from '../../client/http/problem.ts';
import type { Flow } from '../../flows/flow.ts';
import { feedKey, recordKey } from '../../flows/names.ts';

const secretOf = (text: string): string => `whsec_${Buffer.from(`${text}, long enough`).toString('base64')}`;
const [SECRET, NEXT] = [secretOf('the secret that is taken'), secretOf('the one that comes after')];
const FLOWS = [
  { source: { system: 'powerOffice', type: 'ContactPerson' }, target: { system: 'crm', type: 'Contact' } },
  { source: { system: 'powerOffice', type: 'Product' }, target: { system: 'crm', type: 'Company' } },
] as unknown as readonly Flow[];

interface Sent {
  readonly as?: string;
  readonly at?: Date;
}

/** A hook as a CRM signs it. */
function hook(body: string, { as = SECRET, at = new Date() }: Sent = {}): Request {
  const headers = {
    'webhook-id': 'm1',
    'webhook-timestamp': String(Math.floor(at.getTime() / 1000)),
    'webhook-signature': new Webhook(as).sign('m1', at, body),
  };
  return new Request('http://localhost/hooks/crm', { method: 'POST', body, headers });
}

describe('webhooks', () => {
  let looks: string[];
  const take = async (request: Request): Promise<number> => {
    const lookNow = (system: string, type: string, id: string | null): Promise<void> =>
      Promise.resolve(void looks.push(id === null ? feedKey(system, type) : recordKey(system, type, id)));
    try {
      await takeHook({ flows: FLOWS, secrets: { crm: [SECRET, NEXT] }, lookNow }, 'crm', request);
      return 200;
    } catch (error) {
      assert.ok(error instanceof HttpProblem);
      return error.status;
    }
  };
  const edited = JSON.stringify({ type: 'contact.updated', data: { id: 'c1', givenName: 'Forged' } });
  beforeEach(() => (looks = []));

  it('of 10,000 that are forged, too late or of an unknown type none asks for a look', async () => {
    const late = new Date(Date.now() - 6 * 60_000);
    const early = new Date(Date.now() + 6 * 60_000);
    const kinds: [() => Request, number][] = [
      [() => hook(edited, { as: secretOf('not the secret at all') }), 401],
      [() => hook(edited, { at: late }), 401],
      [() => hook(edited, { at: early }), 401],
      [() => new Request('http://localhost/hooks/crm', { method: 'POST', body: edited }), 401],
      [() => hook(JSON.stringify({ type: 'invoice.updated' })), 200],
    ];
    const answers = kinds.map(() => new Set<number>());
    for (let i = 0; i < 10_000; i++) answers[i % kinds.length]?.add(await take(kinds[i % kinds.length]?.[0]() as Request));
    assert.deepEqual(
      answers.map((each) => [...each]),
      kinds.map(([, status]) => [status]),
    );
    assert.deepEqual(looks, []);
  });

  it('one that is replayed in time asks for the look that it asked for before, and for nothing else', async () => {
    const at = new Date();
    for (let i = 0; i < 100; i++) assert.equal(await take(hook(edited, { at })), 200);
    assert.deepEqual(new Set(looks), new Set(['crm:Contact:c1']));
  });

  it('names its record, or its type alone, or all are looked at; both secrets count while they are exchanged', async () => {
    assert.equal(await take(hook(edited, { as: NEXT })), 200);
    assert.deepEqual(looks.splice(0), ['crm:Contact:c1']);
    for (const data of [undefined, null, {}, { id: '' }, { id: 'x'.repeat(201) }, { id: ['c1'] }])
      assert.equal(await take(hook(JSON.stringify({ type: 'contact.updated', data }))), 200);
    assert.deepEqual(new Set(looks.splice(0)), new Set(['crm:Contact']));
    assert.equal(await take(hook(JSON.stringify({ type: 'contact.updated', data: { id: 7 } }))), 200);
    assert.deepEqual(looks.splice(0), ['crm:Contact:7']);
    assert.equal(await take(hook(JSON.stringify({ data: { id: 'c1' } }))), 200);
    assert.equal(await take(hook('no JSON')), 200);
    assert.deepEqual(looks, ['crm:Contact', 'crm:Company', 'crm:Contact', 'crm:Company']);
    assert.equal(await take(hook(' '.repeat(300_000))), 413);
  });
});
