import { DefaultLogger, Runtime, type LogLevel } from '@temporalio/worker';
import { pino, type Logger } from 'pino';
import pretty from 'pino-pretty';
import { exporterOptions } from './metrics.ts';

/** One line an event; for people with `prettily`. Worker, activities and workflows write to the same stream. */
export function makeLog(prettily: boolean): Logger {
  const level = process.env['TANDEM_LOG_LEVEL'] ?? 'info';
  return prettily
    ? pino({ level }, pretty({ sync: true, ignore: 'pid,hostname,event' }))
    : pino({ level, base: null }, pino.destination({ dest: 1, sync: true }));
}

/** Sets Temporal's runtime up: its own log goes through `log`, warnings and worse; its metrics to a port on loopback. Once a process. */
export function bridgeTemporal(log: Logger, metricsPort: number | null): void {
  const levels: Record<LogLevel, 'trace' | 'debug' | 'info' | 'warn' | 'error'> = {
    TRACE: 'trace',
    DEBUG: 'debug',
    INFO: 'info',
    WARN: 'warn',
    ERROR: 'error',
  };
  Runtime.install({
    // Who runs the worker takes the signals: Temporal's own drain would leave the feeds in it waiting.
    shutdownSignals: [],
    ...(metricsPort === null ? {} : { telemetryOptions: exporterOptions(metricsPort) }),
    logger: new DefaultLogger('WARN', ({ level, message, meta }) => {
      const { error, failure, ...rest } = (meta ?? {}) as Record<string, unknown>;
      const why = (error ?? failure) as { message?: string } | undefined;
      log[levels[level]](
        { event: 'temporal', ...pick(rest), ...(why?.message === undefined ? {} : { why: why.message }) },
        message,
      );
    }),
  });
}

const KEPT = ['workflowId', 'activityType', 'activityId', 'attempt', 'taskQueue'];
const pick = (meta: Record<string, unknown>): Record<string, unknown> =>
  Object.fromEntries(Object.entries(meta).filter(([name]) => KEPT.includes(name)));
