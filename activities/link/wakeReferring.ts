import type { Flow } from '../../flows/flow.ts';
import type { Ends } from '../../flows/installation.ts';
import { linkKey, recordKey } from '../../flows/names.ts';
import type { LinkDocument } from '../../store/documents.ts';
import type { LinkRecord } from '../../workflows/contract.ts';
import { wakeLinks } from '../candidates.ts';
import type { Deps } from '../deps.ts';

/** So many links are woken at once; beyond that their feeds do it at their next look. */
const WOKEN_AT_ONCE = 20;

/** Writes a link to the store; one that had ended and lives again may be what others wait for. */
export async function writeAndWake(deps: Deps, ends: Ends, { link, text }: Written): Promise<LinkDocument | null> {
  const { links } = deps.store;
  const before = whoRefers(deps, ends).length > 0 ? await links.byKey(linkKey(link.flow, link.sourceId)) : null;
  const now = await links.write(link, ends, text);
  const lives = now !== null && now.targetId !== null && now.ended === null;
  if (lives && before !== null && before.ended !== null) await wakeReferring(deps, ends, link.sourceId);
  return now;
}

interface Written {
  readonly link: LinkRecord;
  /** The system's own text, for the store alone. */
  readonly text: string | null;
}

/** Flows whose records may refer to those of this one. */
const whoRefers = (deps: Deps, { source }: Ends): readonly Flow[] =>
  deps.flows.filter((each) => each.connected.some(({ type }) => type === source.type));

/** A record that was just linked may be what others wait for. */
export async function wakeReferring(deps: Deps, ends: Ends, sourceId: string): Promise<void> {
  const waiting = whoRefers(deps, ends);
  const { candidates } = deps.store;
  const ref = recordKey(ends.source.system, ends.source.type, sourceId);
  const referring = await candidates.referringTo(ref, WOKEN_AT_ONCE + 1);
  // While a new flow is rolled out, a worker that does not know it yet may make what its records wait for.
  const isUnknown = referring.some(({ flow }) => !waiting.some(({ name }) => name === flow));
  if (isUnknown || referring.length > WOKEN_AT_ONCE) return candidates.markReferring(ref, deps.time.now());
  for (const other of waiting)
    await wakeLinks(
      deps,
      other,
      referring.filter((each) => each.flow === other.name).map((each) => each.id),
    );
}
