import { fileURLToPath } from 'node:url';
import { NativeConnection, Worker } from '@temporalio/worker';
import { staySmall } from '../worker/memory.ts';
import { WORKER_OPTIONS } from '../worker/options.ts';

/** A worker with Tandem's settings whose one activity does nothing; says how often it ran. Run as a child process. */
staySmall();
const connection = await NativeConnection.connect({ address: process.env['TEMPORAL_ADDRESS'] ?? '' });
let ran = 0;
const worker = await Worker.create({
  ...WORKER_OPTIONS,
  connection,
  namespace: process.env['TEMPORAL_NAMESPACE'] ?? 'default',
  taskQueue: 'floor',
  workflowsPath: fileURLToPath(new URL(import.meta.url.endsWith('.ts') ? 'workflows.ts' : 'workflows.js', import.meta.url)),
  activities: {
    nothing: () => {
      ran += 1;
      process.send?.({ ran, at: Date.now() });
      return Promise.resolve();
    },
  },
});
process.once('SIGTERM', () => worker.shutdown());
process.send?.({ ready: true });
await worker.run();
await connection.close();
process.exit();
