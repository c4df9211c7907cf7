import assert from 'node:assert/strict';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DEFAULT_PROFILE } from '../../connectors/crm/profile/default.ts';
import { profileHash, readProfile } from '../../connectors/crm/profile/read.ts';
import type { CheckReport } from '../../connectors/crm/check/check.ts';
import { Store } from '../../store/store.ts';
import { CRM_TOKEN, eventually, makeWorld, mongoUri, workerEnv, type World } from '../support/world.ts';
import { typedHere } from '../support/typedHere.ts';
import { runTandem } from '../support/worker.ts';

describe('tandem profile, and what a worker makes of a check', function () {
  let world: World;
  let folder: string;
  let file: string;

  beforeEach(async () => {
    world = await makeWorld();
    for (let i = 0; i < 3; i++) world.crm.desk.create('Contact', { givenName: `n${i}` });
    folder = await mkdtemp(join(tmpdir(), 'tandem-profile-'));
    file = join(folder, 'crm.json');
    await writeFile(file, JSON.stringify({ ...DEFAULT_PROFILE, name: 'mine' }, null, 2));
  });
  afterEach(async () => {
    await world.close();
    await rm(folder, { recursive: true });
  });

  it('a refuted profile: exit 1, kept with its hash, and no worker runs with it', async () => {
    world.crm.desk.set({ ifMatch: false });
    const uri = mongoUri();
    const env = workerEnv(world, uri, { CRM_PROFILE: file });
    const checked = await typedHere(['profile', 'check', file, '--json'], env);
    assert.equal(checked.code, 1, checked.text);
    const report = JSON.parse(checked.out) as CheckReport & { refuted: string[]; kept: boolean };
    assert.equal(report.kept, true);
    assert.deepEqual(
      report.refuted.map((each) => each.split(':').slice(0, 2).join(':')),
      ['Contact: condition'],
    );
    const worker = runTandem(['worker'], env);
    assert.equal(await worker.ended, 2);
    assert.match(worker.lines.join('\n'), /has refuted what the profile "mine" claims: Contact: condition/);

    // Mended and checked again, it runs; as another profile it was never checked, and that is said.
    await writeFile(file, JSON.stringify({ ...DEFAULT_PROFILE, name: 'mine', condition: 'none' }));
    assert.equal((await typedHere(['profile', 'check', file], env)).code, 0);
    const store = await Store.connect(uri);
    const { profileCheck } = await store.systems.get('crm');
    await store.close();
    assert.deepEqual([profileCheck?.refuted, profileCheck?.types], [[], ['Contact']]);
  });

  it('a profile that was never checked as it is: the worker says so at its start, and no more once it was checked', async () => {
    const uri = mongoUri();
    const env = workerEnv(world, uri, { CRM_PROFILE: file });
    const said = /was never checked as it is now: run `npx tandem profile check`/;
    const started = async (): Promise<string> => {
      const worker = runTandem(['worker'], env);
      const told = (): string => worker.lines.join('\n');
      await eventually('the start', told, (text) => said.test(text) || text.includes('the worker runs'));
      await worker.stop('SIGKILL');
      return told();
    };
    const store = await Store.connect(uri);
    try {
      const checked = { at: Date.now(), refuted: [], types: ['Contact'], absentSeen: [] };
      // Of another profile, or of this one before it was edited.
      await store.systems.set('crm', { profileCheck: { ...checked, hash: 'another' } });
      assert.match(await started(), said);
      await store.systems.set('crm', { profileCheck: { ...checked, hash: profileHash(await readProfile(file)) } });
      assert.match(await started(), /Company of the profile \\"mine\\" was never checked as it is now/);
      const both = { ...checked, types: ['Contact', 'Company'] };
      await store.systems.set('crm', { profileCheck: { ...both, hash: profileHash(await readProfile(file)) } });
      assert.doesNotMatch(await started(), said);
      // A profile of one's own is not the default one for being called so.
      await writeFile(file, JSON.stringify({ ...DEFAULT_PROFILE, name: 'default', condition: 'none' }));
      assert.match(await started(), said);
    } finally {
      await store.close();
    }
  });

  it('a bad profile: exit 2 before anything is called', async () => {
    await writeFile(file, '{\n "version": 2,\n "nmae": "x"\n}');
    const calls = world.crm.disturbance.calls.length;
    const run = await typedHere(['profile', 'check', file], workerEnv(world, mongoUri()));
    assert.equal(run.code, 2);
    assert.match(run.text, /crm\.json:3: unknown key "nmae": did you mean "name"\?/);
    assert.equal(world.crm.disturbance.calls.length, calls);
    const worker = runTandem(['worker'], workerEnv(world, mongoUri(), { CRM_PROFILE: file }));
    assert.equal(await worker.ended, 2);
    assert.match(worker.lines.join('\n'), /CRM_PROFILE: .*crm\.json:3: unknown key "nmae"/);
  });

  it('init drafts a profile from a sample of records', async () => {
    const draft = join(folder, 'draft.json');
    const run = await typedHere(['profile', 'init', `${world.crm.url}/contacts`, '--out', draft], { CRM_TOKEN });
    assert.equal(run.code, 0, run.text);
    const profile = JSON.parse(await readFile(draft, 'utf8')) as typeof DEFAULT_PROFILE;
    assert.equal(profile.operations.list?.items, 'items');
    assert.deepEqual(
      profile.types['Contact']?.fields.map(({ name }) => name),
      ['givenName', 'familyName', 'email', 'phone', 'title', 'notes'],
    );
    const again = await typedHere(['profile', 'init', `${world.crm.url}/contacts`, '--out', draft], { CRM_TOKEN });
    assert.equal(again.code, 2);
  });
});
