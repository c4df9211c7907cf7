// A worker whose workflows are those of the last version; what it does to systems and stores is this one's.
const compiled = (path) => import(new URL(path, process.env.CHAOS_PROGRAM).href);
const { askedToStop } = await compiled('./worker.js');
const { makeLog } = await compiled('../../worker/log.js');
const { runWorker } = await compiled('../../worker/worker.js');

await runWorker(
  process.env,
  { log: makeLog(false), say: () => {}, signal: askedToStop() },
  { codePath: process.env.CHAOS_WORKFLOWS },
);
process.exit();
