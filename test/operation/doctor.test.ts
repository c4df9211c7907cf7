import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Connection } from '@temporalio/client';
import { diagnose } from '../../client/doctor/doctor.ts';
import type { DoctorFinding } from '../../client/doctor/finding.ts';
import { readConfiguredFlows } from '../../worker/readAll.ts';
import { DEFAULT_PROFILE } from '../../connectors/crm/profile/default.ts';
import { profileHash } from '../../connectors/crm/profile/read.ts';
import { DEFAULT_INSTALLATION } from '../../flows/installation.ts';
import { SCHEMA, Store } from '../../store/store.ts';
import { addSearchAttributes } from '../../worker/temporal.ts';
import { inStep } from '../http/served.ts';
import { makeNamespace } from '../support/temporal.ts';
import { makeWorld, mongoUri, workerEnv, type World } from '../support/world.ts';

describe('what the doctor finds', function () {
  let world: World;
  let temporal: Awaited<ReturnType<typeof makeNamespace>>;
  let env: Record<string, string>;
  let store: Store;

  before(async () => {
    world = await makeWorld({ powerOffice: { withoutPrivilege: ['Product'] }, crm: { clockOffsetMs: 120_000 } });
    temporal = await makeNamespace();
    const uri = mongoUri();
    env = workerEnv(world, uri, { TEMPORAL_NAMESPACE: temporal.namespace });
    store = await Store.connect(uri, { limits: uri });
  });
  after(async () => {
    await store.close();
    await temporal.close();
    await world.close();
  });

  /** What is not well, as `check state: text; advice`. */
  async function unwell(more: Record<string, string> = {}): Promise<string> {
    const { findings } = await diagnose({ ...env, ...more });
    const bad = findings.filter(({ state }) => state !== 'ok');
    assert.ok(
      bad.every((each: DoctorFinding) => each.state === 'skipped' || (each.advice ?? '') !== ''),
      'each says what to do',
    );
    return bad.map(({ check, state, text, advice }) => `${check} ${state}: ${text}; ${advice}`).join('\n');
  }
  const holds = (said: string, ...wanted: readonly RegExp[]): void => {
    for (const each of wanted) assert.match(said, each);
  };

  it('in a place where no worker ever ran: what is missing, each by name', async () => {
    await store.owner.claim({ name: DEFAULT_INSTALLATION, schema: SCHEMA - 1 });
    holds(
      await unwell(),
      /^search attributes failed: the namespace \S+ lacks the search attributes TandemFlow.*; a worker adds them/m,
      /^database warning: .*schema 1, this one needs 2/m,
      /^indexes failed: indexes are missing: links\.\S+.*; start a worker/m,
      /^privileges failed: PowerOffice: the privilege \S+.* is missing: no Product can be read/m,
      /^clock warning: CRM's clock is 1\d\d s ahead of ours; let one of them be set/m,
      /^workers failed: no worker of the installation tandem runs; start one/m,
      /^installation failed: no worker serves the task queue "tandem"/m,
      /^feeds failed: the feed powerOffice:ContactPerson was never read to its end/m,
    );
    const nowhere = await unwell({ MONGODB_URI: 'mongodb://127.0.0.1:1/nowhere' });
    holds(nowhere, /^MongoDB failed: MongoDB at 127\.0\.0\.1:1\/nowhere cannot be reached/m, /^CRM skipped: not asked/m);
    const limits = await unwell({ TANDEM_LIMITS_URI: 'mongodb://127.0.0.1:1' });
    holds(limits, /^MongoDB failed: .*127\.0\.0\.1:1.*TANDEM_LIMITS_URI/m);
  });

  it('in an installation at work: what waits, what is late, who serves nobody, and a world that is another', async () => {
    await store.prepare(365);
    await store.owner.set({ schema: SCHEMA });
    await addSearchAttributes(temporal.client.connection as Connection, temporal.namespace);
    const { flows } = await readConfiguredFlows(env);
    const flow = flows.find(({ name }) => name === 'contactperson-contact');
    assert.ok(flow);
    const block = { code: 'refused', side: 'target', properties: [], at: 1 } as const;
    await store.links.write({ ...inStep(flow, '1', { targetId: 'c1' }), status: 'blocked', block }, flow, 'no');
    await store.links.write({ ...inStep(flow, '2', { targetId: 'c2' }), status: 'conflict', conflicts: ['FirstName'] }, flow);
    await store.links.write({ ...inStep(flow, '3', { targetId: 'c3' }), flow: 'left-over' }, flow);
    await store.limits.setPaused('crm', true);
    await store.setAside.note('crm:Contact', [{ id: 'c9', why: 'no name' }], { kind: 'unreadable', now: Date.now() });
    const fence = await store.cursors.takeOver('crm:Contact');
    const since = Date.now() - 3600_000;
    await store.cursors.advance('crm:Contact', fence, {
      lookedAt: since,
      looks: 3,
      notBelieved: [{ flow: flow.name, side: 'target', missing: 90, all: 100, since }],
    });
    const others = flows.filter((each) => each !== flow).map(({ name }) => name);
    const beat = { _id: 'tandem:here:1', installation: 'tandem', at: Date.now(), flows: others };
    await store.workers.beat({ ...beat, apart: { ms: 5000, of: 2, others: 2, since } });
    await store.systems.set('crm', { identity: 'https://another.example' });
    holds(
      await unwell(),
      /^links warning: 1 pairs are blocked; .*status/m,
      /^links warning: 1 pairs wait for a decision; .*conflicts/m,
      /^links warning: a person paused crm; .*resume/m,
      /^records set aside warning: 1 records of crm:Contact are set aside/m,
      /^feeds failed: the feed crm:Contact was last read to its end 36\d\d s ago/m,
      /^feeds warning: the list of crm:Contact lacks 90 of 100 records of contactperson-contact; .*approve/m,
      /^flows failed: no worker that runs has the flow contactperson-contact: its 2 links are served by nobody/m,
      /^flows warning: 1 links are of the flow left-over, which TANDEM_FLOWS does not name/m,
      /^installation failed: worker tandem:here:1: .*clock/m,
      /^world failed: this store belongs to CRM at https:\/\/another\.example/m,
    );
  });

  it('of a profile: that it was never checked as it is, and what a check has refuted', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'tandem-doctor-'));
    const file = join(folder, 'profile.json');
    const profile = { ...DEFAULT_PROFILE, name: 'ours' };
    writeFileSync(file, JSON.stringify(profile));
    holds(await unwell({ CRM_PROFILE: file }), /^profile warning: the profile "ours" was never checked as it is now; run/m);
    const refuted = ['Contact: the list is not sorted'];
    await store.systems.set('crm', {
      profileCheck: { hash: profileHash(profile), at: 1, refuted, types: ['Contact', 'Company'], absentSeen: [] },
    });
    holds(
      await unwell({ CRM_PROFILE: file }),
      /^profile failed: .*refuted .*"ours" claims: Contact: the list is not sorted; mend/m,
    );
    rmSync(folder, { recursive: true });
  });
});
