import { Runtime } from '@temporalio/worker';
import type { Meter } from '../activities/ports.ts';
import { CALLS, type CallNote } from '../connectors/callChannel.ts';
import { SYSTEMS } from '../flows/flow.ts';
import { systemTitle } from '../flows/names.ts';

/** Upper bounds of the propagation delay (s): what is quick, what a poll costs, what somebody waits for. */
export const DELAY_BUCKETS = [0.5, 1, 2, 5, 10, 30, 60, 120, 300, 900, 3600, 14_400, 86_400];
const DELAY = 'tandem_propagation_delay';

/** What Temporal's runtime is told so that it shows its metrics, and ours, on loopback. */
export const exporterOptions = (port: number) => ({
  metrics: {
    prometheus: {
      bindAddress: `127.0.0.1:${port}`,
      unitSuffix: true,
      countersTotalSuffix: true,
      useSecondsForDurations: true,
      histogramBucketOverrides: { [DELAY]: DELAY_BUCKETS },
    },
  },
});

/** Counts what this process does in Temporal's own meter, so that it comes out with Temporal's metrics. Once a process. */
export function countInRuntime(): Meter {
  const meter = Runtime.instance().metricMeter;
  const calls = meter.createCounter('tandem_calls', undefined, 'Calls of this process to a system, by result.');
  const delay = meter.createHistogram(
    DELAY,
    'float',
    'seconds',
    'From the stamp of an edited record until the edit was written to the other side, by this process.',
  );
  CALLS.subscribe((note) => {
    const { system, result } = note as CallNote;
    calls.add(1, { system: SYSTEMS.find((each) => systemTitle(each) === system) ?? 'crm', result });
  });
  return { carried: ({ flow, side, seconds }) => delay.record(seconds, { flow, side }) };
}

/** The metrics of this process as Temporal's exporter shows them. */
export async function processMetrics(port: number): Promise<string> {
  const response = await fetch(`http://127.0.0.1:${port}/metrics`, { signal: AbortSignal.timeout(3000) });
  return response.text();
}
