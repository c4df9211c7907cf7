import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { clone, packed, typed } from './places.ts';

const SERVICE = `import {
  connectTandem, TandemError, type Change, type Link, type PageOf, type StatusReport, type Tandem, type TandemProblem,
} from 'tandem';

const tandem: Tandem = await connectTandem();
try {
  const { items: links }: PageOf<Link> = await tandem.links({ status: 'blocked' });
  for (const { flow, sourceId } of links) {
    const { items: changes }: PageOf<Change> = await tandem.history(flow, sourceId);
    console.log(changes.length);
  }
  const status: StatusReport = await tandem.status();
  console.log(status.flows.length);
  // @ts-expect-error: a status that there is not
  await tandem.links({ status: 'done' });
} catch (error) {
  if (!(error instanceof TandemError) || error.kind !== 'not-found') throw error;
  const problems: readonly TandemProblem[] = error.problems;
  console.error(problems.map(({ where, what, next }) => [where, what, next]));
} finally {
  await tandem.close();
}
`;

describe("import { connectTandem } from 'tandem', in a project of one's own", function () {
  this.timeout(300_000);

  it('type-checks, and a status that there is not is refused', async () => {
    const { folder } = await packed();
    const repository = await clone();
    writeFileSync(join(folder, 'service.mts'), SERVICE);
    const compilerOptions = {
      module: 'nodenext',
      target: 'es2022',
      strict: true,
      exactOptionalPropertyTypes: true,
      noUncheckedIndexedAccess: true,
      // Declarations of Temporal's client do not pass by themselves: `ms` has none, and `retry` is not exact.
      skipLibCheck: true,
      noEmit: true,
      types: ['node'],
      typeRoots: [join(repository.folder, 'node_modules/@types')],
    };
    writeFileSync(join(folder, 'tsconfig.json'), JSON.stringify({ compilerOptions, files: ['service.mts'] }));
    await typed(`node ${join(repository.folder, 'node_modules/typescript/bin/tsc')} -p .`, folder);
  });
});
