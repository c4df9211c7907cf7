import { createHash } from 'node:crypto';
import { WorkflowExecutionAlreadyStartedError, WorkflowNotFoundError, type Client } from '@temporalio/client';
import { TandemError } from '../flows/tandemError.ts';
import type { SystemName } from '../flows/flow.ts';
import { DEFAULT_INSTALLATION, type Installation } from '../flows/installation.ts';
import { systemTitle, WORKFLOWS } from '../flows/names.ts';
import { SCHEMA, type Store } from '../store/store.ts';

/** Who both systems say they are. */
export type Identities = Readonly<Record<SystemName, string>>;

/** One installation and the systems that it keeps in step; `id` names both in every activity's input. */
export interface World {
  readonly installation: Installation;
  readonly identities: Identities;
  readonly id: string;
}

/** Up to so many links are migrated by a start; more of them take a person's decision. */
const QUICK_LINKS = 100_000;

export function worldOf(installation: Installation, identities: Identities): World {
  const text = JSON.stringify([identities.powerOffice, identities.crm]);
  return { installation, identities, id: `${installation.name}@${createHash('sha256').update(text).digest('hex').slice(0, 12)}` };
}

const names = (identities: Identities): [SystemName, string][] => [
  ['powerOffice', identities.powerOffice],
  ['crm', identities.crm],
];

/** Refuses a database of another installation, or one that a newer Tandem has changed. Writes nothing. */
export async function checkOwner(store: Store, installation: Installation): Promise<void> {
  const owner = await store.whose();
  if (!owner) return;
  if (owner.name !== installation.name)
    throw new TandemError(
      [
        `MONGODB_URI: the database "${store.database}" belongs to the installation "${owner.name}", and TANDEM_INSTALLATION names "${installation.name}"${installation.name === DEFAULT_INSTALLATION ? ', the default' : ''}: each needs a database of its own. Name another one in the path of MONGODB_URI, or the right installation`,
      ],
      { kind: 'configuration' },
    );
  if (owner.schema > SCHEMA)
    throw new TandemError(
      [
        `MONGODB_URI: a newer Tandem has changed the database "${store.database}" (schema ${owner.schema}, this one knows ${SCHEMA}): run that version, or a newer one`,
      ],
      { kind: 'configuration' },
    );
}

/** Refuses a store that remembers other systems, or another installation. Writes nothing. */
export async function checkStore(store: Store, { installation, identities }: World): Promise<void> {
  await checkOwner(store, installation);
  for (const [system, identity] of names(identities)) {
    const known = (await store.systems.get(system)).identity;
    if (known !== undefined && known !== identity)
      throw new TandemError(
        [
          `this store belongs to ${systemTitle(system)} at ${known}, but the configuration names ${identity}: ids would collide. Name another database in MONGODB_URI (and another Temporal namespace, or another TANDEM_INSTALLATION), or go back to the old address`,
        ],
        { kind: 'configuration' },
      );
  }
}

interface Remembered extends Identities {
  readonly world: string;
}

/** What Temporal remembers of an installation; null where it knows none. */
export async function rememberedWorld(client: Client, installation: Installation): Promise<Remembered | null> {
  try {
    const { status, memo } = await client.workflow.getHandle(installation.worldWorkflowId).describe();
    return status.name === 'RUNNING' ? (memo as unknown as Remembered) : null;
  } catch (error) {
    if (error instanceof WorkflowNotFoundError) return null;
    throw error;
  }
}

/** The world of an installation that has had a worker. Throws TandemError where store and Temporal tell of two. */
export async function knownWorld(store: Store, client: Client, installation: Installation): Promise<string | undefined> {
  const stored = (await store.whose())?.world;
  const remembered = (await rememberedWorld(client, installation))?.world;
  if (stored !== undefined && remembered !== undefined && stored !== remembered)
    throw new TandemError(
      [
        `MONGODB_URI and TEMPORAL_NAMESPACE do not belong together: the database "${store.database}" is of ${stored}, the namespace ${client.options.namespace} has ${remembered}. Name the two that one worker uses`,
      ],
      { kind: 'configuration' },
    );
  return stored ?? remembered;
}

/** Refuses a namespace in which the installation keeps other systems in step. Writes nothing. */
export async function checkTemporal(client: Client, { installation, identities }: World): Promise<void> {
  const known = await rememberedWorld(client, installation);
  for (const [system, identity] of known ? names(identities) : [])
    if (known?.[system] !== identity)
      throw new TandemError(
        [
          `the Temporal namespace ${client.options.namespace} has the installation "${installation.name}" for ${systemTitle(system)} at ${known?.[system]}, but the configuration names ${identity}: their links would mix. Name another TANDEM_INSTALLATION or another TEMPORAL_NAMESPACE, or go back to the old address`,
        ],
        { kind: 'configuration' },
      );
}

/** Makes the world known to Temporal and to the store, after all that may refuse it. Where another was first, nothing stays. */
export async function claimWorld(store: Store, client: Client, world: World): Promise<void> {
  const { installation, identities, id } = world;
  const started = await startWorld(client, world);
  try {
    if (!started) await checkTemporal(client, world);
    const owner = await store.owner.claim({ name: installation.name, world: id, schema: SCHEMA });
    if (owner.name !== installation.name) await checkOwner(store, installation);
    await checkStore(store, world);
    if (owner.world === undefined) await store.owner.set({ world: id });
    for (const [system, identity] of names(identities)) await store.systems.set(system, { identity });
  } catch (error) {
    if (started) await client.workflow.getHandle(installation.worldWorkflowId).terminate('the start was refused');
    throw error;
  }
}

/** False where Temporal knows the installation already. */
async function startWorld(client: Client, { installation, identities, id }: World): Promise<boolean> {
  try {
    await client.workflow.start(WORKFLOWS.world, {
      workflowId: installation.worldWorkflowId,
      taskQueue: installation.queue,
      args: [],
      workflowIdConflictPolicy: 'FAIL',
      staticSummary: `whose systems the installation ${installation.name} keeps in step`,
      memo: { installation: installation.name, ...identities, world: id },
    });
    return true;
  } catch (error) {
    if (error instanceof WorkflowExecutionAlreadyStartedError) return false;
    throw error;
  }
}

/** Brings older documents up to date where that is quick; else asks for `tandem migrate`. Throws TandemError. */
export async function migrateAtStart(store: Store, flows: Parameters<Store['migrate']>[0]): Promise<void> {
  const owner = await store.whose();
  if (!owner || owner.schema >= SCHEMA) return;
  const links = await store.links.count();
  if (links > QUICK_LINKS)
    throw new TandemError(
      [
        `MONGODB_URI: the database "${store.database}" is of an older Tandem (schema ${owner.schema}, this one needs ${SCHEMA}) and has ${links} links: stop all workers and run \`npx tandem migrate\``,
      ],
      { kind: 'configuration' },
    );
  await store.migrate(flows);
}
