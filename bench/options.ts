import { parseArgs } from 'node:util';

export const USAGE = `npm run bench [-- --records N] [-- --full] [-- --json FILE]

Measures what Tandem costs, on a local stack of its own: time against a bare floor taken in turns in the same run, API
calls, Temporal events and actions, delay, throughput, requests. Ends with a table; the exit code is 1 where a target is missed,
2 for bad input. Takes about 10 minutes on two cores.

  --records N   pairs of the first sync (300)
  --full        also first syncs of 5,000, 10,000 and 50,000 pairs, and the worker's memory after each; an hour or more
  --json FILE   writes [{ name, value, unit, target, met }]`;

export interface BenchOptions {
  readonly records: number;
  readonly full: boolean;
  readonly json: string | undefined;
}

/** The command line's options; `help` where that is asked for, and any other text says what is wrong with them. */
export function readOptions(): BenchOptions | string {
  try {
    const { values } = parseArgs({
      options: {
        records: { type: 'string', default: '300' },
        full: { type: 'boolean', default: false },
        json: { type: 'string' },
        help: { type: 'boolean' },
      },
    });
    if (values.help) return 'help';
    const records = Number(values.records);
    if (!Number.isInteger(records) || records < 40) return '--records must be a whole number of 40 or more';
    return { records, full: values.full, json: values.json };
  } catch (error) {
    return (error as Error).message;
  }
}
