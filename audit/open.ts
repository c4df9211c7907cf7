import type { Store } from '../store/store.ts';
import type { Connector } from '../connectors/connector.ts';
import type { SystemName } from '../flows/flow.ts';
import type { Config } from '../worker/config.ts';
import type { Flows } from '../worker/readFlows.ts';
import { whyUnusable, openStore, systemServer } from '../worker/remotes.ts';
import { isKnownWorld } from '../worker/retryUntilReachable.ts';
import { makeConnectors } from '../worker/connectors.ts';
import { readAll } from '../worker/worker.ts';

/** What looks at both systems itself needs: configuration, flows, the store and the connectors. */
export interface Opened extends Flows {
  readonly config: Config;
  readonly store: Store;
  readonly connectors: Readonly<Record<SystemName, Connector>>;
  /** Who each system says it is. */
  readonly world: Readonly<Record<SystemName, string>>;
  close(): Promise<void>;
}

/** Opens store and systems as the environment says. Writes nothing; refuses a store that belongs to other systems. */
export async function open(env: NodeJS.ProcessEnv): Promise<Opened> {
  const all = await readAll(env);
  const store = await openStore(all.config.MONGODB_URI);
  try {
    const connectors = await makeConnectors({ ...all, store, env });
    const world: Record<SystemName, string> = { powerOffice: '', crm: '' };
    for (const connector of Object.values(connectors)) {
      const { identity } = await connector.check().catch((error: unknown) => {
        throw whyUnusable(systemServer(connector, all.crm), error);
      });
      await isKnownWorld(store, connector, identity);
      world[connector.name] = identity;
    }
    return { ...all, store, connectors, world, close: () => store.close() };
  } catch (error) {
    await store.close();
    throw error;
  }
}
