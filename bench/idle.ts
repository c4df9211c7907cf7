import { note } from './report.ts';

/** What an installation costs in which nothing happens: worked out, not measured. */
export function noteIdle(): void {
  const [feeds, takeover, poll] = [5, 60, 30];
  // The SDK sends a heartbeat at 0.8 of the time-out; a turn of a day is one activity and a new run.
  const actions = feeds * (86_400 / (0.8 * takeover) + 2);
  note({
    name: 'idle installation: Temporal actions a day (heartbeat time-out 60 s: takeover within 60 s)',
    value: actions,
    unit: 'actions',
    target: 'below 10,000',
    met: actions < 10_000,
  });
  note({
    name: 'idle installation: list calls a day (poll 30 s, ids hourly, one sweep)',
    value: feeds * (86_400 / poll + 24 + 1),
    unit: 'calls',
    target: 'stated',
    met: true,
  });
}
