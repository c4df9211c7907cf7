import { feedsOf, type Flow } from '../flows/flow.ts';
import type { Store } from '../store/store.ts';
import type { Brake } from './brake.ts';

/** What a person's word on a whole flow or system needs. */
export interface Pausing extends Pick<Brake, 'steer' | 'now'> {
  readonly store: {
    readonly links: Pick<Store['links'], 'each'>;
    readonly limits: Pick<Store['limits'], 'setPaused'>;
    readonly cursors: Pick<Store['cursors'], 'ask'>;
  };
  readonly flows: readonly Flow[];
}

/** Pauses a flow or a system by its name, or lets it go on. */
export async function setPaused({ store, flows, steer, now = Date.now }: Pausing, name: string, paused: boolean): Promise<void> {
  await store.limits.setPaused(name, paused);
  if (paused) return;
  const held = flows.filter((flow) => [flow.name, flow.source.system, flow.target.system].includes(name));
  // Nobody was told what was deleted meanwhile: the lists of ids are read now, not when they are due.
  for (const feed of feedsOf(held)) await store.cursors.ask(feed, { idsAsked: now() });
  // Those that met the pause wait in their workflows.
  for await (const link of store.links.each({ flow: held.map((flow) => flow.name), blockCode: 'flow-paused' }))
    await steer(link.flow, link.sourceId, { kind: 'retry' });
}
