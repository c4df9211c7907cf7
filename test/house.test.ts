import assert from 'node:assert/strict';
import { readdirSync, readFileSync, statSync } from 'node:fs';
import { dirname, join, normalize } from 'node:path';
import { fileURLToPath } from 'node:url';

const ROOT = fileURLToPath(new URL('..', import.meta.url));
const HERE = 'test/house.test.ts';
const MOST_LINES = 350;
/** Folders beside the rooms: they may import from all of them. */
const BESIDE = ['bench', 'test', 'examples'];
const NO_SOURCES = ['bin', 'docs', 'node_modules', 'dist'];

interface Source {
  readonly file: string;
  readonly text: string;
}

const read = (file: string): string => readFileSync(join(ROOT, file), 'utf8');

/** The rooms as docs/architecture.md lists them; a room imports only from those before it. */
const ROOMS = roomsOf(read('docs/architecture.md'));

function roomsOf(page: string): string[] {
  const [, block = ''] = /## The rooms\s+```\n([\s\S]*?)```/.exec(page) ?? [];
  return [...block.matchAll(/^([\w-]+)\/ +\S/gm)].map((match) => match[1] ?? '');
}

const SOURCES: readonly Source[] = [...ROOMS, ...BESIDE].flatMap((folder) =>
  readdirSync(join(ROOT, folder), { recursive: true, encoding: 'utf8' })
    .map((name) => `${folder}/${name}`)
    .filter((file) => file.endsWith('.ts'))
    .map((file) => ({ file, text: read(file) })),
);
const FILES = new Set(SOURCES.map(({ file }) => file));

/** Every source file outside the store, with its text. */
const sources = (): readonly Source[] => SOURCES.filter(({ file }) => file !== HERE && !file.startsWith('store/'));

const roomOf = (file: string): string => file.slice(0, file.indexOf('/'));

/** What a file imports of the project's own, and whether only when it is needed. */
function importsOf({ file, text }: Source): { readonly to: string; readonly dynamic: boolean; readonly types: boolean }[] {
  const found = [...text.matchAll(/((?:im|ex)port type [^;]*?from|from|import\()\s*'(\.[^']+)'/g)];
  return found
    .map(([, how = '', path = '']) => ({
      to: normalize(join(dirname(file), path)),
      dynamic: how.endsWith('('),
      types: /^\w+ type/.test(how),
    }))
    .filter(({ to }) => FILES.has(to));
}

/** A file and all that comes with it before anything is called. */
function loadedBy(entry: string): Source[] {
  const loaded = new Set([entry]);
  for (const file of loaded)
    for (const { to, dynamic, types } of importsOf({ file, text: read(file) })) if (!dynamic && !types) loaded.add(to);
  return SOURCES.filter(({ file }) => loaded.has(file));
}

/** The first way round that comes back to where it began; null where there is none. */
function circle(graph: ReadonlyMap<string, ReadonlySet<string>>): string[] | null {
  const done = new Set<string>();
  const way: string[] = [];
  const walk = (node: string): string[] | null => {
    if (way.includes(node)) return [...way.slice(way.indexOf(node)), node];
    if (done.has(node)) return null;
    way.push(node);
    for (const next of graph.get(node) ?? []) {
      const found = walk(next);
      if (found) return found;
    }
    way.pop();
    done.add(node);
    return null;
  };
  for (const node of graph.keys()) {
    const found = walk(node);
    if (found) return found;
  }
  return null;
}

/** Who imports whom, by a name for each file: itself, or its folder. */
function graphOf(nameOf: (file: string) => string): Map<string, Set<string>> {
  const graph = new Map<string, Set<string>>();
  for (const source of SOURCES)
    for (const { to, dynamic } of importsOf(source)) {
      const [from, into] = [nameOf(source.file), nameOf(to)];
      // What the command line asks for when it is needed is judged with the rooms.
      if (from === into || dynamic || isSandboxType(source.file, to)) continue;
      graph.set(from, (graph.get(from) ?? new Set()).add(into));
    }
  return graph;
}

/** The command line knows the sandbox by its types, and reaches it by a dynamic import. */
const isSandboxType = (file: string, to: string): boolean => file.startsWith('client/cli/') && /^(sandbox|stack)\//.test(to);

describe('the house', () => {
  it('no room but the store speaks to MongoDB or touches a collection', () => {
    const driver = /from 'mongodb'|import\('mongodb'\)/;
    const query =
      /\.(findOne|findOneAndUpdate|insertOne|insertMany|updateOne|updateMany|replaceOne|deleteOne|deleteMany|countDocuments|bulkWrite|aggregate|createIndex|dropIndex)\b/;
    const found = sources().filter(
      ({ file, text }) => !file.startsWith('test/store/') && (driver.test(text) || query.test(text)),
    );
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

  it('has the rooms that docs/architecture.md lists, and a lint rule for each', () => {
    const folders = readdirSync(ROOT)
      .filter((name) => !name.startsWith('.') && statSync(join(ROOT, name)).isDirectory())
      .filter((name) => !BESIDE.includes(name) && !NO_SOURCES.includes(name));
    assert.deepEqual(folders.toSorted(), ROOMS.toSorted());
    const { overrides } = JSON.parse(read('.oxlintrc.json')) as {
      overrides: { files: string[]; rules: Record<string, [string, { patterns: { group: string[] }[] }]> }[];
    };
    for (const [i, room] of ROOMS.entries()) {
      const rule = overrides.find(({ files }) => files.includes(`${room}/**/*.ts`))?.rules['no-restricted-imports'];
      const refused = rule?.[1].patterns.flatMap(({ group }) => group) ?? [];
      for (const below of [...ROOMS.slice(i + 1), 'bench', 'test'])
        assert.ok(refused.includes(`**/${below}/**`), `${room} may import from ${below}: .oxlintrc.json`);
    }
  });

  it('no import runs upwards', () => {
    const wrong = SOURCES.filter(({ file }) => ROOMS.includes(roomOf(file))).flatMap((source) =>
      importsOf(source)
        .filter(({ to, dynamic, types }) => {
          if (isSandboxType(source.file, to) && (dynamic || types)) return false;
          return BESIDE.includes(roomOf(to)) || ROOMS.indexOf(roomOf(to)) > ROOMS.indexOf(roomOf(source.file));
        })
        .map(({ to }) => `${source.file} imports ${to}`),
    );
    assert.deepEqual(wrong, []);
  });

  it('a service that imports the library does not load Temporal’s worker, and help loads no server’s client', () => {
    const loading = (entry: string, packages: RegExp): string[] =>
      loadedBy(entry)
        .filter(({ text }) => packages.test(text))
        .map(({ file }) => file);
    assert.deepEqual(loading('client/index.ts', /^import [^t].* from '@temporalio\/worker'/m), []);
    assert.deepEqual(loading('client/cli/main.ts', /^import [^t].* from '(@temporalio\/\w+|mongodb)'/m), []);
  });

  it('no two files import each other in a circle, and no two folders', () => {
    assert.equal(circle(graphOf((file) => file))?.join(' -> ') ?? null, null);
    assert.equal(circle(graphOf(dirname))?.join(' -> ') ?? null, null);
  });

  it(`no file has more than ${MOST_LINES} lines`, () => {
    const long = SOURCES.map(({ file, text }) => ({ file, lines: text.split('\n').length - 1 }))
      .filter(({ lines }) => lines > MOST_LINES)
      .map(({ file, lines }) => `${file}: ${lines}`);
    assert.deepEqual(long, []);
  });

  it('a lint rule is switched off for one place only, with its reason', () => {
    const off = /\/[/*] *(?:ox|es)lint-disable(?:-(?:next-)?line [\w/-]+ -- \S.{10,})?/g;
    const wrong = sources().flatMap(({ file, text }) =>
      [...text.matchAll(off)].flatMap(([said]) => (said.includes(' -- ') ? [] : [`${file}: ${said}`])),
    );
    assert.deepEqual(wrong, []);
  });

  it('an exported name means one thing in all rooms', () => {
    const definition = /^export (?:async |abstract )*(?:function\*?|class|const|let|interface|type|enum)\s+(\w+)/gm;
    const places = new Map<string, Set<string>>();
    for (const { file, text } of SOURCES.filter((each) => ROOMS.includes(roomOf(each.file))))
      for (const [, name = ''] of text.matchAll(definition)) places.set(name, (places.get(name) ?? new Set()).add(file));
    const twice = [...places].filter(([, files]) => files.size > 1).map(([name, files]) => `${name}: ${[...files].join(', ')}`);
    assert.deepEqual(twice, []);
  });
});
