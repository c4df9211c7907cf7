import { existsSync } from 'node:fs';
import { chromium } from 'playwright-core';
import { connectTandem, type Tandem } from '../../client/index.ts';
import { workflowPage } from '../../client/views.ts';
import { makeNamespace } from '../support/temporal.ts';
import { runTandem, type Run } from '../support/worker.ts';
import { eventually, makeWorld, mongoUri, workerEnv, type World } from '../support/world.ts';

const FLOW = 'contactperson-contact';
const CHROMIUM = ['/usr/bin/chromium', '/usr/bin/chromium-browser'].find((path) => existsSync(path));

describe('the signal form of the Temporal UI', function () {
  this.timeout(180_000);
  let world: World;
  let temporal: Awaited<ReturnType<typeof makeNamespace>>;
  let worker: Run;
  let tandem: Tandem;

  before(async function () {
    if (CHROMIUM === undefined) this.skip();
    world = await makeWorld({ size: { products: 0, contactPersons: 1, suppliers: 0, supplierPersons: 0 } });
    temporal = await makeNamespace();
    const env = workerEnv(world, mongoUri(), { TEMPORAL_NAMESPACE: temporal.namespace });
    worker = runTandem(['worker'], env);
    tandem = await connectTandem({ env });
  });
  after(async () => {
    await tandem?.close();
    await worker?.stop('SIGKILL');
    await Promise.all([temporal?.close(), world?.close()]);
  });

  const link = async (): Promise<{ status: string; sourceId: string } | undefined> =>
    (await tandem.links({ flow: FLOW })).items[0];

  it('offers what may be sent by hand, by name, and sends it without an argument', async () => {
    const found = await eventually({ what: 'in step', withinMs: 60_000 }, link, (now) => now?.status === 'in-step');
    const { workflowId } = await tandem.getLink(FLOW, found?.sourceId ?? '');
    const ui = { base: process.env['TANDEM_TEST_UI'] ?? '', namespace: temporal.namespace };
    const browser = await chromium.launch({ executablePath: CHROMIUM ?? '', args: ['--no-sandbox'] });
    try {
      const page = await browser.newPage({ viewport: { width: 1180, height: 760 } });
      const press = (role: 'button' | 'menuitem' | 'option', name: RegExp): Promise<void> =>
        page.getByRole(role, { name }).locator('visible=true').first().click();
      for (const kind of ['pause', 'resume'] as const) {
        await page.goto(workflowPage(ui, workflowId), { waitUntil: 'networkidle', timeout: 60_000 });
        await press('button', /More Actions/);
        await press('menuitem', /Send a Signal/);
        await page.getByTestId('signal-select-button').locator('visible=true').first().click();
        await press('option', new RegExp(`^${kind}\\b.*by hand`, 's'));
        await press('button', /Submit/);
        const wanted = kind === 'pause' ? 'paused' : 'in-step';
        await eventually(wanted, link, (now) => now?.status === wanted);
      }
    } finally {
      await browser.close();
    }
  });
});
