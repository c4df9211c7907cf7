import type { Command } from 'commander';
import { TandemError } from '../../flows/tandemError.ts';

/** `tandem worker`: runs until a signal, then drains. */
export function addWorkerCommand(program: Command): void {
  program
    .command('worker')
    .description('run a worker: checks the configuration, starts the watchers, runs until SIGTERM and drains')
    .option('--pretty', 'log in words instead of one JSON line an event')
    .option('--apply-plan <file>', 'do what this plan (of `tandem plan --out`) says, and no more')
    .action(async (options: { pretty?: boolean; applyPlan?: string }) => {
      const { makeLog } = await import('../../worker/log.ts');
      const { runWorker } = await import('../../worker/worker.ts');
      const { freeLoopbackPort } = await import('../../worker/loopbackPort.ts');
      const { serveBeside } = await import('../http/serveTandem.ts');
      const stop = askedToStop();
      const log = makeLog(options.pretty ?? false);
      const say = (sentence: string): void => console.error(`tandem: ${sentence}`);
      const ended = new AbortController();
      const metricsPort = process.env['TANDEM_HTTP_PORT'] ? await freeLoopbackPort() : null;
      const served = serveBeside(process.env, { log, say, signal: AbortSignal.any([stop, ended.signal]) }, metricsPort);
      try {
        await runWorker(process.env, { log, say, signal: stop }, { planPath: options.applyPlan, metricsPort });
      } catch (error) {
        if (!stop.aborted || error instanceof TandemError) throw error;
      } finally {
        ended.abort(new Error('the worker ended'));
        await served;
      }
    });
}

/** Aborts on SIGTERM and SIGINT, and where npx was ended: it keeps a signal to itself and leaves what it runs behind. */
export function askedToStop(): AbortSignal {
  const stop = new AbortController();
  for (const name of ['SIGTERM', 'SIGINT'] as const) process.once(name, () => stop.abort(new Error(name)));
  if (process.env['npm_command'] !== undefined) {
    const npx = process.ppid;
    const timer = setInterval(() => {
      if (process.ppid === npx) return;
      clearInterval(timer);
      stop.abort(new Error('npx was ended'));
    }, 500);
    timer.unref();
  }
  return stop.signal;
}
