import assert from 'node:assert/strict';
import { NativeConnection, Worker } from '@temporalio/worker';
import { WORKFLOWS } from '../../flows/names.ts';
import { renew, type link } from '../../workflows/link.ts';
import { withBundle } from '../../worker/bundle.ts';
import { addSearchAttributes } from '../../worker/temporal.ts';
import { makeNamespace } from '../support/temporal.ts';
import { eventually, temporalAddress } from '../support/world.ts';
import { begin } from '../workflows/begin.ts';
import { RULES } from '../workflows/links.ts';
import { Stand, standActivities } from '../workflows/stand.ts';
import { PATHS } from './paths.ts';
import { lastVersionBundle } from './replay.ts';
import { Walker } from './walker.ts';
import '../support/quiet.ts';

/** Links that an upgrade meets in the midst of these; each ends open, in step or soon so. */
const MET = [
  'create-and-edit',
  'contended',
  'blocked-and-retried',
  'paused-and-resumed',
  'linked-by-hand',
  'missed-once',
] as const;

describe('an upgrade', function () {
  it('links that began under the last version go on under this one, under edits and beside it', async () => {
    const temporal = await makeNamespace();
    const { client, namespace } = temporal;
    await addSearchAttributes(client.connection as never, namespace);
    const stands = new Map<string, Stand>();
    const start = async (codePath: string): Promise<() => Promise<void>> => {
      const connection = await NativeConnection.connect({ address: temporalAddress() });
      const worker = await Worker.create({
        connection,
        namespace,
        taskQueue: 'q',
        workflowBundle: { codePath },
        activities: standActivities((id) => stands.get(id) as Stand),
        // Every task is replayed, by whichever version takes it.
        maxCachedWorkflows: 0,
      });
      const running = worker.run().then(() => connection.close());
      return async () => {
        worker.shutdown();
        await running;
      };
    };

    const stopOld = await start(await lastVersionBundle());
    const walkers = await Promise.all(
      MET.map(async (name) => {
        const stand = new Stand();
        const workflowId = `link:f:${name}`;
        stands.set(workflowId, stand);
        const { rules, prepare, walk } = PATHS[name] ?? { walk: () => Promise.resolve() };
        prepare?.(stand);
        const state = begin({
          rules: { ...RULES, ...rules },
          sourceId: name,
          seen: stand.shown('source'),
          now: Date.now(),
        });
        const handle = await client.workflow.start<typeof link>(WORKFLOWS.link, { workflowId, taskQueue: 'q', args: [state] });
        const walker = new Walker({ handle, stand, id: name });
        await walker.settled();
        await walk(walker);
        return walker;
      }),
    );

    const editAll = async (text: string): Promise<void> => {
      for (const walker of walkers) {
        await walker.edit('source', { FirstName: `${text} ${walker.id}` });
        await walker.edit('target', { givenName: `${text}, later, ${walker.id}` }, { at: [9e12, 9e12] });
      }
    };
    const inStep = (what: string): Promise<unknown> =>
      eventually(
        { what, withinMs: 60_000 },
        () =>
          walkers
            .filter(({ stand }) => stand.values.source['FirstName'] !== stand.values.target['givenName'])
            .map(({ id, stand }) => [id, stand.values]),
        (open) => open.length === 0,
      );

    await editAll('old');
    const stopNew = await start(await withBundle((path) => Promise.resolve(path)));
    await editAll('both');
    await stopOld();
    await editAll('new');
    await inStep('all in step under this version');
    for (const { handle } of walkers) await handle.signal(renew);
    await editAll('renewed');
    await inStep('all in step with a new history');
    for (const walker of walkers) {
      const { status, source } = await walker.state();
      assert.deepEqual(
        [walker.id, status, source.seen?.values['FirstName']],
        [walker.id, 'in-step', walker.stand.values.source['FirstName']],
      );
      await walker.handle.terminate();
    }
    await stopNew();
    await temporal.close();
  });
});
