import type { Connector } from '../../connectors/connector.ts';
import { SystemError } from '../../connectors/systemError.ts';
import type { LinkStore } from '../../store/store.ts';

/** More records than this said to be gone within a minute, none announced by a list of ids: the system is out of order. */
export const OUTAGE_404S = 10;
const MINUTE_MS = 60_000;
/** During an outage a record that is known to live is read so often, at most (ms). */
const PROBE_PAUSE_MS = 10_000;

interface Missed {
  readonly system: Connector;
  readonly type: string;
  readonly id: string;
  readonly announced: boolean;
  readonly now: number;
  readonly signal: AbortSignal;
}

/**
 * What a 404 means: "gone", or nothing at all while its system says so of very many. An outage ends as soon as a record
 * that is known to live (the list of ids has it) reads fine.
 */
export async function judgeMissing(store: LinkStore, missed: Missed): Promise<'gone' | 'unsure'> {
  const { system, type, id, announced, now } = missed;
  const miss = announced ? null : { record: `${type}:${id}`, at: now };
  const { misses, since, probedAt } = await store.limits.missed(system.name, miss);
  // One that is read again and again, by attempts that hang say, is one.
  const recent = new Set(misses.flatMap(({ record, at }) => (at > now - MINUTE_MS ? [record] : [])));
  if (since === null && (announced || recent.size <= OUTAGE_404S)) return 'gone';
  if (since !== null && now - probedAt < PROBE_PAUSE_MS) return 'unsure';
  await store.limits.setOutage(system.name, { since: since ?? now, probedAt: now });
  if (!(await livingReads(missed))) return 'unsure';
  await store.limits.setOutage(system.name, null);
  return 'gone';
}

async function livingReads({ system, type, id, signal }: Missed): Promise<boolean> {
  try {
    for await (const { ids } of system.ids({ type }, { priority: 'write', signal })) {
      const other = ids.find((each) => each !== id);
      if (other === undefined) continue;
      await system.read({ type, id: other, fields: [] }, { priority: 'write', signal });
      return true;
    }
    // A list without another record shows nothing: systems that have lost everything list nothing, too.
    return false;
  } catch (error) {
    if (error instanceof SystemError) return false;
    throw error;
  }
}
