import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const ROOT = fileURLToPath(new URL('..', import.meta.url));
const FOLDERS = [
  'flows',
  'workflows',
  'connectors',
  'activities',
  'worker',
  'audit',
  'client',
  'sandbox',
  'stack',
  'bench',
  'test',
];
const HERE = 'test/house.test.ts';

/** Every source file outside the store, with its text. */
function sources(): { readonly file: string; readonly text: string }[] {
  return FOLDERS.flatMap((folder) =>
    readdirSync(join(ROOT, folder), { recursive: true, encoding: 'utf8' })
      .map((name) => `${folder}/${name}`)
      .filter((file) => file.endsWith('.ts') && file !== HERE)
      .map((file) => ({ file, text: readFileSync(join(ROOT, file), 'utf8') })),
  );
}

describe('the house', () => {
  it('no room but the store speaks to MongoDB or touches a collection', () => {
    const driver = /from 'mongodb'|import\('mongodb'\)/;
    const query =
      /\.(findOne|findOneAndUpdate|insertOne|insertMany|updateOne|updateMany|replaceOne|deleteOne|deleteMany|countDocuments|bulkWrite|aggregate|createIndex|dropIndex)\b/;
    const found = sources().filter(({ text }) => driver.test(text) || query.test(text));
    assert.deepEqual(
      found.map(({ file }) => file),
      [],
    );
  });

  it('keys are put together in flows/names.ts alone', () => {
    const byHand = /`\$\{[\w.[\]]*(system|flow|link)[\w.[\]]*\}:\$\{/i;
    const found = sources().filter(({ file, text }) => file !== 'flows/names.ts' && byHand.test(text));
    assert.deepEqual(
      found.map(({ file, text }) => `${file}: ${byHand.exec(text)?.[0]}`),
      [],
    );
  });
});
