import type { Client } from '@temporalio/client';
import { startLink } from '../activities/messenger.ts';
import type { Flow } from '../flows/flow.ts';
import { linkKey, MESSAGES, WORKFLOWS } from '../flows/names.ts';
import type { Store } from '../store/store.ts';
import { recordOf } from '../workflows/record.ts';
import type { LinkState } from '../workflows/core/state.ts';

/** Brings the lost one of both stores back: links from their workflows, workflows from the links. Writes to no system. */
export async function rebuild(
  { client, store, flows }: { client: Client; store: Store; flows: readonly Flow[] },
  onProgress: (done: number) => void = () => {},
): Promise<{ readonly stored: number; readonly started: number }> {
  let [stored, started, done] = [0, 0, 0];
  const known = new Set<string>();
  for await (const run of client.workflow.list({
    query: `WorkflowType = '${WORKFLOWS.link}' AND ExecutionStatus = 'Running'`,
  })) {
    const state = await client.workflow.getHandle(run.workflowId).query<LinkState>(MESSAGES.state);
    const flow = flows.find((each) => each.name === state.flow);
    onProgress(++done);
    if (!flow) continue;
    known.add(linkKey(state.flow, state.source.id ?? ''));
    const types = { source: flow.source.type, target: flow.target.type };
    if (state.revision > 0 && (await store.links.write(recordOf(state), types))) stored += 1;
    else await store.links.discover([recordOf(state)], types);
  }
  for await (const link of store.links.each()) {
    const flow = flows.find((each) => each.name === link.flow);
    onProgress(++done);
    if (!flow || known.has(link._id) || link.ended === 'source gone') continue;
    if (await startLink(client, flow, link)) started += 1;
  }
  return { stored, started };
}
