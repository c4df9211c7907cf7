import assert from 'node:assert/strict';
import { execFile, spawn, type ChildProcessWithoutNullStreams } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { serveOn } from '../../sandbox/serve.ts';
import { HOME } from '../../stack/file.ts';
import { installPackage, type Interpreter } from '../../stack/tools.ts';
import { bin, fetchGenerator, FOLDER } from './generator.ts';
import { orSkip } from '../support/orSkip.ts';
import { KEYS } from '../support/world.ts';
import { describedStandIn, SIZE, type Described } from '../sandbox/described.ts';
import { undescribed, undescribedBody } from '../support/description.ts';

const run = promisify(execFile);
const ROOT = fileURLToPath(new URL('../..', import.meta.url));

describe('clients that strangers wrote work against the PowerOffice stand-in', function () {
  this.timeout(300_000);
  let described: Described;
  let server: { url: string; close: () => Promise<void> };
  beforeEach(async () => {
    described = await describedStandIn();
    server = await serveOn(described.standIn.app, 0);
  });
  afterEach(() => server.close());

  it('a client generated from the description reads, pages, filters, creates, patches and deletes every type', async function () {
    await orSkip(this, 'openapi-typescript', fetchGenerator);
    const schema = join(FOLDER, 'schema.d.ts');
    await run(bin('openapi-typescript'), [join(ROOT, 'connectors/powerOffice/description.json'), '-o', schema]);
    const client = fileURLToPath(new URL('client.mjs', import.meta.url));
    // The generated types hold the client: a name that the description lacks does not compile.
    const options = '--noEmit --allowJs --checkJs --strict --skipLibCheck --target es2023 --lib es2023,dom --types node';
    await run(bin('tsc'), [...options.split(' '), '--module', 'nodenext', client], { cwd: ROOT }).catch(
      (error: { stdout?: string }) => assert.fail(error.stdout ?? String(error)),
    );
    const { useEverything } = (await import(client)) as {
      useEverything: (
        where: object,
      ) => Promise<
        Record<string, { listed: number; paged: number; found: number; patched: unknown; deleted: number; gone: number }>
      >;
    };
    const token = await fetch(`${server.url}/oauth/token`, {
      method: 'POST',
      headers: {
        authorization: `Basic ${Buffer.from(`${KEYS.applicationKey}:${KEYS.clientKey}`).toString('base64')}`,
        'ocp-apim-subscription-key': KEYS.subscriptionKey,
      },
      body: new URLSearchParams({ grant_type: 'client_credentials' }),
    });
    const { access_token: bearer } = (await token.json()) as { access_token: string };
    const violations: string[] = [];
    const asked = new Set<string>();
    const done = await useEverything({
      baseUrl: `${server.url}/v2`,
      headers: { authorization: `Bearer ${bearer}`, 'ocp-apim-subscription-key': KEYS.subscriptionKey },
      bodySerializer: (body: unknown) => JSON.stringify(body),
      async fetch(request: Request) {
        const { pathname: path } = new URL(request.url);
        const { method } = request;
        const sent = await request.clone().text();
        if (sent !== '') violations.push(undescribedBody({ method, path }, JSON.parse(sent)) ?? '');
        const patch =
          method === 'PATCH'
            ? { headers: { ...Object.fromEntries(request.headers), 'content-type': 'application/json-patch+json' } }
            : {};
        const response = await fetch(new Request(request, patch));
        const body = await response.clone().text();
        violations.push(
          ...undescribed({ method, path }, { status: response.status, type: response.headers.get('content-type') ?? '', body }),
        );
        asked.add(`${method} ${path.replaceAll(/\d+/g, '{}')}`);
        return response;
      },
    });
    assert.deepEqual(
      violations.filter((each) => each !== ''),
      [],
    );
    assert.equal(Object.keys(done).length, 9);
    for (const [type, { listed, paged, found, patched, deleted, gone }] of Object.entries(done)) {
      assert.equal(paged, listed, `${type}: small pages bring what one page brings`);
      assert.equal(found, 1, `${type} is found by its filters`);
      assert.ok(patched !== undefined && patched !== null && patched !== false, `${type} is patched`);
      assert.deepEqual([deleted, gone], [200, 404], type);
    }
    // Lists, records, and who one is: 46 operations at 19 addresses.
    assert.equal(asked.size, 46);
  });

  it('a Python client reads in full, in small pages and incrementally', async function () {
    const python = await orSkip(this, 'ds-provider-powerofficego-py-lib', fetchReader);
    const reader = new Reader(python, server.url);
    try {
      for (const [list, size] of [
        ['ContactPersons', SIZE.contactPersons],
        ['products', SIZE.products],
        ['Suppliers', SIZE.suppliers],
      ] as const) {
        const full = await reader.read({ list, pageSize: 20_000 });
        assert.equal(full.rows.length, size, list);
        const paged = await reader.read({ list, pageSize: 3 });
        assert.deepEqual(new Set(paged.rows.map(({ Id }) => Id)), new Set(full.rows.map(({ Id }) => Id)));
      }
      const { checkpoint } = await reader.read({ list: 'Products', pageSize: 3, fields: ['Id', 'Name'] });
      assert.deepEqual((await reader.read({ list: 'Products', pageSize: 3, checkpoint })).rows, []);
      described.standIn.desk.edit('Product', '1003', { Name: 'Ny' });
      described.standIn.desk.edit('Product', '1007', { Name: 'Også ny' });
      const next = await reader.read({ list: 'Products', pageSize: 1, checkpoint });
      assert.deepEqual(new Set(next.rows.map(({ Id }) => Id)), new Set([1003, 1007]));
      const named = await reader.read({ list: 'Products', pageSize: 5, filters: { names: 'ny, Også ny' } });
      assert.equal(named.rows.length, 2);
    } finally {
      reader.close();
    }
  });
});

const READER = 'ds-provider-powerofficego-py-lib==0.1.6';

async function fetchReader(): Promise<Interpreter> {
  const there = join(HOME, 'python/powerOfficeReader/venv/bin/python');
  // Looked for, not imported: that takes as long as the test itself.
  const imports = ['-c', `import importlib.util as u; raise SystemExit(not u.find_spec('ds_provider_powerofficego_py_lib'))`];
  if (
    existsSync(there) &&
    (await run(there, imports).then(
      () => true,
      () => false,
    ))
  )
    return { command: there, env: process.env };
  return installPackage(READER, 'powerOfficeReader');
}

interface Read {
  readonly rows: { Id: number }[];
  readonly checkpoint: unknown;
}

/** The Python program that reads what it is told to, a line a list. */
class Reader {
  readonly #child: ChildProcessWithoutNullStreams;
  readonly #lines: AsyncIterator<string>;
  #said = '';

  constructor(python: Interpreter, origin: string) {
    const program = fileURLToPath(new URL('reader.py', import.meta.url));
    const keys = [KEYS.applicationKey, KEYS.clientKey, KEYS.subscriptionKey];
    this.#child = spawn(python.command, [program, origin, ...keys], { env: python.env });
    this.#child.stderr.on('data', (text: Buffer) => (this.#said += text.toString()));
    this.#lines = createInterface({ input: this.#child.stdout })[Symbol.asyncIterator]();
  }

  async read(request: Record<string, unknown>): Promise<Read> {
    this.#child.stdin.write(`${JSON.stringify(request)}\n`);
    const { value, done } = await this.#lines.next();
    if (done) throw new Error(`the reader ended: ${this.#said.slice(-800)}`);
    return JSON.parse(value) as Read;
  }

  close(): void {
    this.#child.stdin.end();
  }
}
