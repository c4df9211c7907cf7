// A worker whose workflows are those of the last version; what it does to systems and stores is this one's.
import { askedToStop } from '../../client/cli/worker.ts';
import { makeLog } from '../../worker/log.ts';
import { runWorker } from '../../worker/worker.ts';

await runWorker(
  process.env,
  { log: makeLog(false), say: () => {}, signal: askedToStop() },
  { codePath: process.env['CHAOS_WORKFLOWS'] },
);
process.exit();
