import { SYSTEMS } from '../../flows/flow.ts';
import { systemTitle } from '../../flows/names.ts';
import type { Trouble } from '../../flows/faults.ts';
import type { DependencyState } from '../../worker/health.ts';
import type { OpenTandem } from '../connect.ts';
import { systemTroubles } from '../status.ts';

/** One of those on whom Tandem relies, as `readyz` tells of it. */
interface Relied {
  readonly name: string;
  readonly ready: boolean;
  /** What `status`, `doctor` and the logs say of it. */
  readonly sentence: string | null;
  readonly since: string | null;
}

const relied = (name: string, trouble: Trouble | null): Relied => ({
  name,
  ready: trouble === null,
  sentence: trouble?.sentence ?? null,
  since: trouble?.since ?? null,
});

/**
 * Whether Temporal and MongoDB answer now, and how both systems were when their feeds last looked; these make nothing
 * unready, and none of them is asked. Open to anybody, so it quotes nobody.
 */
export async function readiness({ servers, store }: Pick<OpenTandem, 'servers' | 'store'>): Promise<{
  readonly ready: boolean;
  readonly answer: { readonly ready: boolean; readonly dependencies: readonly Relied[]; readonly systems: readonly Relied[] };
}> {
  const found = await servers.look();
  const dependencies = found.map(({ name, trouble }) => relied(name, trouble));
  const ready = dependencies.every((each) => each.ready);
  return { ready, answer: { ready, dependencies, systems: await systemsOf(store, found) } };
}

async function systemsOf(store: OpenTandem['store'], found: readonly DependencyState[]): Promise<Relied[]> {
  // Without its store Tandem knows nothing of them.
  if (found.some(({ of, trouble }) => of === 'store' && trouble !== null)) return [];
  const troubles = systemTroubles(await store.cursors.all());
  return SYSTEMS.map(systemTitle).map((title) => relied(title, troubles.find(({ what }) => what === title) ?? null));
}
