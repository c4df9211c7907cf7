import { DefaultLogger, Runtime } from '@temporalio/worker';

// Workers in this process say nothing that a test does not ask for; one runtime a process, whoever needs it.
Runtime.install({
  logger: new DefaultLogger('ERROR', () => {}),
  telemetryOptions: { logging: { filter: 'ERROR', forward: {} } },
});
