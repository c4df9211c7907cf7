import { setTimeout as sleep } from 'node:timers/promises';
import { crmSandbox } from '../../sandbox/crm.ts';
import { serveOn } from '../../sandbox/serve.ts';
import type { StartGiven } from '../../stack/crmServer.ts';
import { CRM_TOKEN } from '../support/world.ts';
import { onRealCrm, type Started } from './scenario.ts';

/** The stand-in of the default profile, as one more server. */
async function start({ port }: StartGiven): Promise<Started> {
  const { app, desk } = crmSandbox({ token: CRM_TOKEN, file: null });
  const served = await serveOn(app, port);
  return {
    env: { CRM_PROFILE: 'default', CRM_URL: served.url, CRM_TOKEN },
    desk: {
      rows: (type) => Promise.resolve([...(desk.types[type]?.rows() ?? [])]),
      async create(type, values) {
        // Stamps are told apart by the millisecond.
        await sleep(2);
        return desk.create(type, values);
      },
      edit: (type, id, values) => Promise.resolve(void desk.edit(type, id, values)),
      remove: (type, id) => Promise.resolve(desk.remove(type, id)),
    },
    stop: () => served.close(),
  };
}

onRealCrm({
  name: 'default',
  fetch: () => Promise.resolve(start),
  single: /\/(contacts|companies)\/|externalId=/,
  draft: { at: '/contacts', refuted: [] },
});
