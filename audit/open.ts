import type { Store } from '../store/store.ts';
import type { Connector } from '../connectors/connector.ts';
import type { SystemName } from '../flows/flow.ts';
import type { Config } from '../worker/config.ts';
import type { Flows } from '../worker/readFlows.ts';
import { whyUnusable, openStore, systemServer } from '../worker/remotes.ts';
import { checkOwner, checkStore, worldOf, type Identities } from '../worker/world.ts';
import { installationNamed, type Installation } from '../flows/installation.ts';
import { makeConnectors } from '../worker/connectors.ts';
import { readAll } from '../worker/readAll.ts';

/** What looks at both systems itself needs: configuration, flows, the store and the connectors. */
export interface Opened extends Flows {
  readonly config: Config;
  readonly installation: Installation;
  readonly store: Store;
  readonly connectors: Readonly<Record<SystemName, Connector>>;
  /** Who each system says it is. */
  readonly world: Identities;
  close(): Promise<void>;
}

/** Opens store and systems as the environment says. Writes nothing; refuses a store that belongs to other systems. */
export async function open(env: NodeJS.ProcessEnv): Promise<Opened> {
  const all = await readAll(env);
  const installation = installationNamed(all.config.TANDEM_INSTALLATION);
  const store = await openStore(all.config.MONGODB_URI, {
    database: installation.name,
    limits: all.config.TANDEM_LIMITS_URI,
  });
  try {
    await checkOwner(store, installation);
    const connectors = await makeConnectors({ ...all, store, env });
    const identityOf = async (connector: Connector): Promise<string> => {
      const { identity } = await connector.check().catch((error: unknown) => {
        throw whyUnusable(systemServer(connector, all.crm), error);
      });
      return identity;
    };
    const world: Identities = {
      powerOffice: await identityOf(connectors.powerOffice),
      crm: await identityOf(connectors.crm),
    };
    await checkStore(store, worldOf(installation, world));
    return { ...all, installation, store, connectors, world, close: () => store.close() };
  } catch (error) {
    await store.close();
    throw error;
  }
}
