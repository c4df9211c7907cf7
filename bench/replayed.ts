import { median } from './figures.ts';
import { note } from './report.ts';
import { crmWrites, until, type Installation } from './stack.ts';

/** Edits of one link: enough that its history is begun anew on the way. */
const EDITS = 30;
/** A link continues as new where its history has passed 200 events and it is awake; what it does then comes on top. */
const LIMIT = 215;

/**
 * A worker that no longer has a link in its cache replays the history of its present run: its length, after each of many
 * edits of one link, and of others as the bench has left them.
 */
export async function measureReplayed(installation: Installation): Promise<void> {
  const { world, store, client } = installation;
  const links = await store.links.list({ flow: 'contactperson-contact' }, { limit: 60 });
  const [link] = links;
  const handle = client.workflow.getHandle(`link:contactperson-contact:${link?.sourceId}`);
  const edited: number[] = [];
  const runs = new Set<string>();
  for (let i = 0; i < EDITS; i++) {
    const written = crmWrites(installation).length;
    world.powerOffice.desk.edit('ContactPerson', link?.sourceId ?? '', { FirstName: `Replay${i}` });
    await until({ what: 'the change', test: () => crmWrites(installation).length > written });
    const { historyLength, runId } = await handle.describe();
    edited.push(historyLength);
    runs.add(runId);
  }
  if (runs.size < 2) throw new Error(`${EDITS} edits did not begin a history anew`);
  const lengths: number[] = [];
  for (const { sourceId } of links)
    lengths.push((await client.workflow.getHandle(`link:contactperson-contact:${sourceId}`).describe()).historyLength);
  const most = Math.max(...edited, ...lengths);
  note({
    name: 'events replayed after a cache miss, median of links edited once',
    value: median(lengths),
    unit: 'events',
    target: 'stated',
    met: true,
  });
  note({
    name: 'events replayed after a cache miss, at most',
    value: most,
    unit: 'events',
    target: `at most ${LIMIT}`,
    met: most <= LIMIT,
  });
}
