import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { showLink, showStatus } from '../../client/cli/show.ts';
import { plainDetails } from '../../client/toModel.ts';
import { statusReport } from '../../client/status.ts';
import { installationNamed } from '../../flows/installation.ts';
import { linkKey } from '../../flows/names.ts';
import { REASON_CODES, reasonOf } from '../../flows/reasons.ts';
import { SPECIFICATION } from '../../flows/specification.ts';
import { validateFlows } from '../../flows/validate.ts';
import { POWEROFFICE_CATALOGUE } from '../../connectors/powerOffice/catalogue.ts';
import { catalogueOf } from '../../connectors/crm/connector.ts';
import { DEFAULT_PROFILE } from '../../connectors/crm/profile/default.ts';
import { rulesOf } from '../../activities/observation.ts';
import { newRecord } from '../../workflows/linkRecord.ts';
import { Health } from '../../worker/health.ts';
import { makeStore } from '../support/world.ts';

const text = (file: string): string => readFileSync(new URL(`../../${file}`, import.meta.url), 'utf8');
const FLOWS = validateFlows(SPECIFICATION, [POWEROFFICE_CATALOGUE, catalogueOf(DEFAULT_PROFILE)]);

describe('the registry of reasons', () => {
  it('explains every code that a link is given', () => {
    const files = ['activities/link', 'activities/feed', 'workflows/core'].flatMap((folder) =>
      readdirSync(new URL(`../../${folder}`, import.meta.url)).map((name) => `${folder}/${name}`),
    );
    const codes = new Set(files.flatMap((file) => [...text(file).matchAll(/\bcode: '([\w-]+)'/g)].map(([, code = '']) => code)));
    assert.ok(codes.size >= 8, [...codes].join(', '));
    assert.deepEqual(
      [...codes].filter((code) => !REASON_CODES.includes(code)),
      [],
    );
  });

  it('stands in docs/reasons.md word for word, every code and no other', () => {
    const page = text('docs/reasons.md');
    for (const { code, meaning, advice } of REASON_CODES.map(reasonOf))
      assert.ok(page.includes(`## \`${code}\`\n\nIt means: ${meaning}.\nWhat to do: ${advice}.\n`), code);
    const told = [...page.matchAll(/^## `(.+)`$/gm)].map(([, code]) => code);
    assert.deepEqual(told, REASON_CODES);
  });

  it('is told alike by show, by status, and by the interface for services', async () => {
    const { store } = await makeStore();
    const [flow] = FLOWS;
    assert.ok(flow);
    try {
      const codes = [...REASON_CODES, '418'];
      for (const [i, code] of codes.entries()) {
        const record = newRecord({ flow: flow.name, rules: rulesOf(flow), sourceId: `${i}`, seen: null, now: Date.now() });
        const block = { code, side: 'target' as const, properties: [], at: Date.now() };
        await store.links.write({ ...record, revision: 1, status: 'blocked', block }, flow, `its own text ${i}`);
      }
      const report = await statusReport(store, {
        installation: 'tandem',
        flows: FLOWS,
        refused: [],
        servers: new Health([]),
      });
      const inStatus = showStatus(report);
      for (const [i, code] of codes.entries()) {
        const { meaning, advice } = reasonOf(code);
        const link = await store.links.byKey(linkKey(flow.name, `${i}`));
        assert.ok(link);
        const details = plainDetails({ flow, installation: installationNamed('tandem'), link, changes: [] });
        assert.equal(details.block?.meaning, meaning);
        assert.equal(details.block?.advice, advice);
        const shown = showLink(flow, details, '');
        assert.ok(shown.includes(meaning) && shown.includes(advice), `show ${code}`);
        assert.ok(inStatus.includes(`${code}: ${meaning}\n  what to do: ${advice}`), `status ${code}`);
      }
    } finally {
      await store.close();
    }
  });
});
