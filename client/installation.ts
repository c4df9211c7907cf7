import { installationNamed } from '../flows/installation.ts';
import { SCHEMA } from '../store/store.ts';
import { readStoreConfig } from '../worker/config.ts';
import { readConfiguredFlows } from '../worker/readAll.ts';
import { openStore } from '../worker/remotes.ts';
import { checkOwner } from '../worker/world.ts';

/** What a migration did. */
export interface Migrated {
  readonly database: string;
  /** The schema that the database had; null where it is nobody's yet. */
  readonly from: number | null;
  readonly to: number;
  readonly links: number;
}

/** Brings an older Tandem's database up to date. Throws TandemError for another installation's, or a newer one. */
export async function migrate(env: NodeJS.ProcessEnv): Promise<Migrated> {
  const { flows } = await readConfiguredFlows(env);
  const { MONGODB_URI, TANDEM_INSTALLATION } = readStoreConfig(env);
  const installation = installationNamed(TANDEM_INSTALLATION);
  const store = await openStore(MONGODB_URI, { database: installation.name });
  try {
    await checkOwner(store, installation);
    const owner = await store.whose();
    const links = owner && owner.schema < SCHEMA ? await store.migrate(flows) : 0;
    return { database: store.database, from: owner?.schema ?? null, to: SCHEMA, links };
  } finally {
    await store.close();
  }
}
