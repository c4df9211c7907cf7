import { setTimeout as sleep } from 'node:timers/promises';
import { Webhook } from 'standardwebhooks';
import { freePort } from '../stack/process.ts';
import { median, quantile } from './figures.ts';
import { note } from './report.ts';
import { contactPersons, install, posts, until, type Stack } from './stack.ts';

const PAIRS = 20;
const SECRET = `whsec_${Buffer.from('a secret of the bench, long enough').toString('base64')}`;

/** Edits in the CRM that a webhook announces, until they stand on the other side, where a poll would come once a minute. */
export async function measureHooks(stack: Stack, edits: number): Promise<void> {
  const port = await freePort();
  const installation = await install(stack, contactPersons(PAIRS), {
    TANDEM_POLL_SECONDS: '60',
    TANDEM_HTTP_PORT: String(port),
    CRM_WEBHOOK_SECRET: SECRET,
  });
  const { world, store } = installation;
  await until({ what: 'the first sync', test: () => posts(installation).length >= PAIRS });
  const inStep = async (): Promise<boolean> => (await store.links.count({ status: 'in-step' })) === PAIRS;
  await until({ what: 'all pairs in step', test: inStep, everyMs: 200 });
  const links = await store.links.list({ flow: 'contactperson-contact' });
  const patches = (): number[] =>
    world.powerOffice.disturbance.calls.filter(({ method }) => method === 'PATCH').map(({ at }) => at);
  const delays: number[] = [];
  for (let i = 0; i < edits; i++) {
    const id = links[i % PAIRS]?.targetId ?? '';
    const written = patches().length;
    const began = Date.now();
    world.crm.desk.edit('Contact', id, { givenName: `Hook${i}` });
    await post(`http://127.0.0.1:${port}/hooks/crm`, id);
    await until({ what: 'the announced edit', test: () => patches().length > written, withinMs: 70_000 });
    delays.push((patches().at(-1) ?? 0) - began);
    // Not in step with the watcher's own clock.
    await sleep(1200 + (i % 5) * 130);
  }
  await installation.close();
  note({
    name: `an edit announced by a webhook, poll interval 60 s, median (99th: ${quantile(delays, 0.99)} ms)`,
    value: median(delays),
    unit: 'ms',
    target: 'under 1000',
    met: median(delays) < 1000,
  });
}

async function post(url: string, id: string): Promise<void> {
  const [at, body] = [new Date(), JSON.stringify({ type: 'contact.updated', data: { id } })];
  const headers = {
    'webhook-id': id,
    'webhook-timestamp': String(Math.floor(at.getTime() / 1000)),
    'webhook-signature': new Webhook(SECRET).sign(id, at, body),
  };
  const { status } = await fetch(url, { method: 'POST', body, headers });
  if (status !== 200) throw new Error(`the hook was answered ${status}`);
}
