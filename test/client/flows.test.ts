import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DEFAULT_PROFILE } from '../../connectors/crm/profile/default.ts';
import type { Dataflow } from '../../flows/dataflow/document.ts';
import { documentText, sectionText } from '../flows/dataflow/documents.ts';
import { typedHere } from '../support/typedHere.ts';
import { runTandem } from '../support/worker.ts';

const X = 'PowerOffice Go Contactperson';
const Y = 'Hub Contacts';
const SECTION = sectionText({
  x: X,
  y: Y,
  body: [`Every ${X} will be synchronized with a ${Y}.`],
  rows: [
    ['FirstName', 'givenName', '"string"'],
    ['LastName', 'familyName', '"string"'],
  ],
});

describe('documents on the command line', () => {
  const folder = mkdtempSync(join(tmpdir(), 'tandem-cli-'));
  const at = (name: string): string => join(folder, name);
  after(() => rmSync(folder, { recursive: true, force: true }));

  async function run(args: readonly string[], env: Record<string, string> = {}): Promise<{ code: number | null; text: string }> {
    // An address of its own, so that no local stack is asked.
    const own = { CRM_URL: 'http://127.0.0.1:9', ...env };
    if (args[0] !== 'worker') return typedHere(args, own);
    const done = runTandem(args, own);
    return { code: await done.ended, text: done.lines.join('\n') };
  }

  it('reads a document as JSON', async () => {
    writeFileSync(at('hub.rst'), documentText([SECTION], 'PowerOffice Go', 'Hub'));
    const { code, text } = await run(['flows', 'read', at('hub.rst'), '--json']);
    assert.equal(code, 0);
    const document = JSON.parse(text) as Dataflow;
    assert.deepEqual(Object.keys(document), ['source', 'target', 'generated', 'sections', 'warnings']);
    assert.deepEqual(document.sections[0]?.properties[0], {
      source: 'FirstName',
      target: 'givenName',
      type: '"string"',
      when: [],
    });
  });

  it('refuses one that breaks the format: exit code 2, file, line, the line itself, what was expected', async () => {
    writeFileSync(at('bad.rst'), documentText([SECTION], 'PowerOffice Go', 'Hub').replace('- givenName', '- '));
    const { code, text } = await run(['flows', 'read', at('bad.rst'), '--json']);
    assert.equal(code, 2);
    assert.match(text, /bad\.rst:29: an empty property cell\n {3}29 \| {6}- \n {6}\| expected: a property/);
  });

  it('as JSON they are a flows file', async () => {
    const { text, code } = await run(['flows', '--json']);
    assert.equal(code, 0, text);
    writeFileSync(at('own.json'), text);
    const again = await run(['flows', '--json'], { TANDEM_FLOWS: at('own.json') });
    assert.deepEqual([again.code, JSON.parse(again.text)], [0, JSON.parse(text)]);
  });

  it('a CRM that calls things otherwise than the three flows is told what to say', async () => {
    const profile = { ...DEFAULT_PROFILE, types: { Contact: { path: '/people', fields: [{ name: 'first_name' }] } } };
    writeFileSync(at('crm.json'), JSON.stringify(profile));
    const { text, code } = await run(['flows'], { CRM_PROFILE: at('crm.json') });
    assert.equal(code, 2);
    assert.match(text, /Contact has no property "givenName"/);
    assert.match(text, /say where they stand, \{"name": "givenName", "at": "first_name"\}; or write a flows file/);
  });

  it('writes the running flows, reads them back, and replaces nothing unasked', async () => {
    const written = await run(['flows', 'write', at('out.rst')], { TANDEM_FLOWS: at('hub.rst') });
    assert.equal(written.code, 0, written.text);
    const flowsOf = async (file: string): Promise<unknown> =>
      JSON.parse((await run(['flows', '--json'], { TANDEM_FLOWS: file })).text) as unknown;
    assert.deepEqual(await flowsOf(at('out.rst')), await flowsOf(at('hub.rst')));
    const before = readFileSync(at('out.rst'), 'utf8');
    const again = await run(['flows', 'write', at('out.rst')]);
    assert.equal(again.code, 2);
    assert.match(again.text, /would be replaced/);
    assert.equal(readFileSync(at('out.rst'), 'utf8'), before);
  });

  it('a worker refuses a document of which nothing can run, and says why', async () => {
    const x = 'PowerOffice Go Vouchers';
    const voucher = sectionText({ x, y: Y, body: [`Every ${x} will be synchronized with a ${Y}.`] });
    writeFileSync(at('none.rst'), documentText([voucher], 'PowerOffice Go', 'Hub'));
    const { code, text } = await run(['worker'], { TANDEM_FLOWS: at('none.rst') });
    assert.equal(code, 2);
    assert.match(text, /none\.rst:13: PowerOffice Go Vouchers to Hub Contacts: powerOffice does not speak/);
  });
});
