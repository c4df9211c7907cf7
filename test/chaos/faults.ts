import { setTimeout as sleep } from 'node:timers/promises';
import type { Server } from '../../stack/servers.ts';
import { failStore, STORE_FAILURES } from '../store/failPoints.ts';
import type { Random } from '../torture/sim.ts';
import type { Place } from './place.ts';

/** The servers that both installations share, and how each is started again. */
export interface Servers {
  temporal: Server;
  mongo: Server;
  readonly restart: { readonly temporal: () => Promise<Server>; readonly mongo: () => Promise<Server> };
}

const WHAT = [
  'worker',
  'worker',
  'clock',
  'temporal',
  'mongo',
  'store',
  'store',
  'answers',
  'answers',
  'answers',
  'token',
  'throttle',
] as const;
const ANSWERS = ['drop-before', 'drop-after', 'truncate', 'html', 'status', 'slow'] as const;

/** Breaks something; gives what. */
export async function disturb(
  random: Random,
  { servers, places }: { servers: Servers; places: readonly Place[] },
): Promise<string> {
  const place = random.pick(places);
  const at = random.int(place.workers.length);
  const what = random.pick(WHAT);
  switch (what) {
    case 'worker':
      await place.kill(at);
      return 'SIGKILL of a worker';
    case 'clock':
      await place.jump(at);
      return "a worker's clock jumped";
    case 'temporal':
    case 'mongo':
      servers[what].child.kill('SIGKILL');
      await sleep(500);
      servers[what] = await servers.restart[what]();
      return `SIGKILL of ${what === 'temporal' ? 'the Temporal server' : 'MongoDB'}`;
    case 'store': {
      const failure = random.pick(STORE_FAILURES);
      await failStore(servers.mongo.address, failure, 1 + random.int(20));
      return `MongoDB: ${failure}`;
    }
    case 'token':
      place.world.powerOffice.desk.set({ tokens: 'expire' });
      return 'token expired';
    case 'answers':
    case 'throttle': {
      const system = random.pick(['powerOffice', 'crm'] as const);
      const kind = what === 'throttle' ? 'status' : random.pick(ANSWERS);
      place.world[system].disturbance.faults.push({
        kind,
        status: what === 'throttle' ? 429 : 503,
        retryAfter: 1,
        detail: 'chaos',
        delay: 2000,
        times: 1 + random.int(4),
        chance: 1,
      });
      return what === 'throttle' ? '429 by somebody else' : `answers: ${kind}`;
    }
  }
}
