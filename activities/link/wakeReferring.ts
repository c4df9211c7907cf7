import type { Flow } from '../../flows/flow.ts';
import { recordKey } from '../../flows/names.ts';
import { wakeLinks } from '../candidates.ts';
import type { Deps } from '../deps.ts';

/** So many links are woken at once; beyond that their feeds do it at their next look. */
const WOKEN_AT_ONCE = 20;

/** A record that was just linked may be what others wait for. */
export async function wakeReferring(deps: Deps, flow: Flow, sourceId: string): Promise<void> {
  const waiting = deps.flows.filter((each) => each.connected.some(({ type }) => type === flow.source.type));
  if (waiting.length === 0) return;
  const { candidates } = deps.store;
  const ref = recordKey(flow.source.system, flow.source.type, sourceId);
  const referring = await candidates.referringTo(ref, WOKEN_AT_ONCE + 1);
  if (referring.length > WOKEN_AT_ONCE) return candidates.markReferring(ref, deps.time.now());
  for (const other of waiting)
    await wakeLinks(
      deps,
      other,
      referring.filter((each) => each.flow === other.name).map((each) => each.id),
    );
}
