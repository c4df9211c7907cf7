import type { Connector } from '../connector.ts';
import type { TellKey } from '../keyBackOff.ts';
import type { RateLimiter } from '../rateLimiter.ts';
import { POWEROFFICE_CATALOGUE } from './catalogue.ts';
import { PowerOfficeClient } from './client.ts';
import { introduce } from './identity.ts';
import { changed, find, ids } from './lists.ts';
import { addressOf, inPascalCase, LAG_MS, resource, goSnapshot } from './records.ts';
import type { PowerOfficeKeys } from './token.ts';
import { Writes, type PatchTest } from './writes.ts';

export type { PatchTest } from './writes.ts';

/** Another cache may answer a read so long after a write (ms). */
const READS_APART_MS = 5500;

/** What an installation may say of its PowerOffice client. */
export interface Permissions {
  /** Tandem may write its own reference into ExternalImportReference or ExternalCode of records that it creates. */
  readonly writeReferences?: boolean;
}

/** PowerOffice Go API v2. Sources of all its facts: docs/systems.md. */
export function powerOffice(
  keys: PowerOfficeKeys,
  {
    throttle,
    patchTest,
    writeReferences = false,
    tellKey,
  }: { readonly throttle: RateLimiter; readonly patchTest: PatchTest; readonly tellKey?: TellKey } & Permissions,
): Connector {
  const client = new PowerOfficeClient(keys, throttle, tellKey);
  const { clock } = client;
  const writes = new Writes(client, patchTest, writeReferences);
  return {
    name: 'powerOffice',
    title: 'PowerOffice',
    catalogue: POWEROFFICE_CATALOGUE,
    clock,
    lagMs: LAG_MS,
    features: () => ({ conditional: patchTest.get() === 'missing' ? 'none' : 'test', externalId: false, idempotencyKey: false }),
    conditionProbe: {
      isDoubtful: (refusal) => refusal.status === 400 || refusal.status === 500,
      readsApartMs: READS_APART_MS,
      isOpen: () => patchTest.get() !== 'works',
      settleMissing: () => patchTest.settle('missing'),
      warning:
        'PowerOffice does not take JSON Patch test: a read comes before each write, and an edit within that moment can be overwritten; it is tried again in a week',
    },
    check: (signal) => introduce(client, signal),
    changed: (request, options) => changed(client, request, options),
    ids: (request, options) => ids(client, request, options),
    async read({ type, id, fields }, options) {
      const kind = resource(type);
      const answer = await client.send({ method: 'GET', path: addressOf(kind, id) }, options);
      return goSnapshot(kind, inPascalCase(answer.body), { fields, clock, answer, read: true });
    },
    create: (request, options) => writes.create(request, options),
    update: (request, options) => writes.update(request, options),
    async remove(type, id, options) {
      await client.send({ method: 'DELETE', path: addressOf(resource(type), id) }, options);
    },
    find: (request, options) => find(client, { ...request, writeReferences }, options),
  };
}
