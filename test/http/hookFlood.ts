import assert from 'node:assert/strict';
import { Webhook } from 'standardwebhooks';
import { forEachLimit } from '../../activities/forEachLimit.ts';
import type { World } from '../support/world.ts';

const MINUTES = 60_000;

export interface Flood {
  readonly world: World;
  /** Where hooks are taken, and the secret with which they are signed. */
  readonly base: string;
  readonly secret: string;
  readonly hooks: number;
  /** A record of the CRM that is linked and in step. */
  readonly targetId: string;
}

interface Kind {
  readonly type: string;
  readonly id: string;
  readonly secret: string;
  readonly at: Date;
  readonly status: number;
}

/**
 * Posts very many hooks that are forged, too old, replayed, or of what nobody knows, and holds what they do against what
 * they may: each is answered as it should be, nothing is written, and a type is looked at once a second at most.
 */
export async function flood({ world, base, secret, hooks, targetId }: Flood): Promise<void> {
  const now = new Date();
  const forged = `whsec_${Buffer.from('another secret, long enough to be one').toString('base64')}`;
  const known = { type: 'contact.updated', id: targetId, secret, at: now, status: 200 };
  const kinds: readonly Kind[] = [
    known,
    { ...known, secret: forged, status: 401 },
    { ...known, at: new Date(now.getTime() - 6 * MINUTES), status: 401 },
    { ...known, id: 'c999999' },
    { ...known, type: 'invoice.updated' },
    { ...known, type: 'nothing' },
  ];
  const before = stateOf(world);
  const began = Date.now();
  const numbers = Array.from({ length: hooks }, (_, i) => i);
  await forEachLimit(numbers, async (i) => {
    const kind = kinds[i % kinds.length] as Kind;
    assert.equal(await post(`${base}/hooks/crm`, kind), kind.status, JSON.stringify(kind));
  });
  const calls = world.crm.disturbance.calls.filter(({ at }) => at >= began);
  assert.deepEqual(stateOf(world), before, 'nothing has changed');
  assert.deepEqual(
    calls.filter(({ method }) => method !== 'GET'),
    [],
    'nothing was written',
  );
  for (const type of ['contacts', 'companies']) {
    const at = calls.filter(({ path }) => path.startsWith(`/${type}`)).map((call) => call.at);
    assert.ok(at.length > 0, `${type}: a hook that is genuine asks for a look`);
    const apart = Math.min(...at.slice(1).map((each, i) => each - (at[i] ?? 0)));
    assert.ok(apart >= 1000, `${type}: two looks within ${apart} ms`);
  }
}

const stateOf = ({ crm, powerOffice }: World): unknown =>
  [crm, powerOffice].map(({ desk }) => Object.values(desk.types).map((table) => structuredClone(table.rows())));

async function post(url: string, { type, id, secret, at }: Kind): Promise<number> {
  const body = JSON.stringify({ type, data: { id } });
  const response = await fetch(url, {
    method: 'POST',
    body,
    headers: {
      'webhook-id': 'the same',
      'webhook-timestamp': String(Math.floor(at.getTime() / 1000)),
      'webhook-signature': new Webhook(secret).sign('the same', at, body),
    },
  });
  await response.arrayBuffer();
  return response.status;
}
