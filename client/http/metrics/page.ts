import type { Client } from '@temporalio/client';
import { processMetrics } from '../../../worker/metrics.ts';
import { pollersOf } from '../../../worker/pollers.ts';
import type { OpenTandem } from '../../connect.ts';
import { remembered } from '../../remembered.ts';
import { exposition, type Family } from './exposition.ts';
import { dependencyFamily, storeFamilies } from './fleet.ts';

/** What the store says is asked anew after so long (ms), however many ask. */
const FRESH_MS = 5000;
/** A worker that has not asked for work for so long counts no more (ms). */
const POLLED_MS = 120_000;

/** The page that Prometheus reads: the installation from its store, and what this process counts, where it is a worker. */
export class MetricsPage {
  readonly #open: Pick<OpenTandem, 'store' | 'flows' | 'servers' | 'client' | 'tandem'>;
  readonly #exporterPort: number | null;
  readonly #fleet: () => Promise<string>;

  /** `exporterPort`: where this process shows Temporal's metrics, and those counted beside them; null where it is no worker. */
  constructor(open: Pick<OpenTandem, 'store' | 'flows' | 'servers' | 'client' | 'tandem'>, exporterPort: number | null) {
    this.#open = open;
    this.#exporterPort = exporterPort;
    this.#fleet = remembered(FRESH_MS, () => this.#gather(Date.now()));
  }

  async text(): Promise<string> {
    // A worker that only starts has no exporter yet.
    const ours = this.#exporterPort === null ? '' : await processMetrics(this.#exporterPort).catch(() => '');
    return (await this.#fleet()) + ours;
  }

  async #gather(now: number): Promise<string> {
    const { store, flows, servers, client, tandem } = this.#open;
    const found = await servers.look();
    const answers = (of: string): boolean => found.some((each) => each.of === of && each.trouble === null);
    const families: Family[] = [dependencyFamily(found)];
    if (answers('store')) families.push(...(await storeFamilies(store, flows, now).catch(() => [])));
    if (answers('temporal')) families.push(...(await workerFamily(client, tandem.installation, now).catch(() => [])));
    return exposition(families);
  }
}

async function workerFamily(client: Client, queue: string, now: number): Promise<Family[]> {
  const recent = (await pollersOf(client, queue, 'workflow')).filter(({ at }) => at > now - POLLED_MS);
  return [
    {
      name: 'tandem_workers',
      type: 'gauge',
      help: 'Workers that asked Temporal for work within the last two minutes.',
      samples: [{ value: new Set(recent.map(({ identity }) => identity)).size }],
    },
  ];
}
