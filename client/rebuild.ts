import { startLink, type Home } from '../activities/messenger.ts';
import type { Flow } from '../flows/flow.ts';
import { linkKey, MESSAGES } from '../flows/names.ts';
import type { Store } from '../store/store.ts';
import { runningOf } from '../worker/runningWorkflows.ts';
import { recordOf } from '../workflows/linkRecord.ts';
import type { LinkState } from '../workflows/core/state.ts';

/** Brings the lost one of both stores back: links from their workflows, workflows from the links. Writes to no system. */
export async function rebuild(
  { home, store, flows }: { home: Home; store: Store; flows: readonly Flow[] },
  onProgress: (done: number) => void = () => {},
): Promise<{ readonly stored: number; readonly started: number }> {
  const { client, installation } = home;
  let [stored, started, done] = [0, 0, 0];
  const known = new Set<string>();
  for await (const run of client.workflow.list({
    query: runningOf('link', installation.queue),
  })) {
    const state = await client.workflow.getHandle(run.workflowId).query<LinkState>(MESSAGES.state);
    const flow = flows.find((each) => each.name === state.flow);
    onProgress(++done);
    if (!flow) continue;
    known.add(linkKey(state.flow, state.source.id ?? ''));
    if (state.revision > 0 && (await store.links.write(recordOf(state), flow))) stored += 1;
    else await store.links.discover([recordOf(state)], flow);
  }
  for await (const link of store.links.each()) {
    const flow = flows.find((each) => each.name === link.flow);
    onProgress(++done);
    if (!flow || known.has(link._id) || link.ended === 'source gone') continue;
    if (await startLink(home, flow, link)) started += 1;
  }
  return { stored, started };
}
