import type { OpenTandem } from '../connect.ts';

const escape = (text: string): string => text.replace(/[\\"\n]/g, (character) => (character === '\n' ? '\\n' : `\\${character}`));

/** Samples of one metric, as Prometheus reads them. */
function metric(
  name: string,
  help: string,
  samples: readonly { labels?: Readonly<Record<string, string>>; value: number }[],
): string {
  const lines = samples.map(({ labels = {}, value }) => {
    const inside = Object.entries(labels).map(([key, text]) => `${key}="${escape(text)}"`);
    return `${name}${inside.length > 0 ? `{${inside.join(',')}}` : ''} ${value}`;
  });
  return [`# HELP ${name} ${help}`, `# TYPE ${name} gauge`, ...lines].join('\n');
}

/** The installation as gauges, counted in the store; never a label of a pair. */
export async function metricsText({ tandem, store }: Pick<OpenTandem, 'tandem' | 'store'>): Promise<string> {
  const status = await tandem.status();
  const oldest = await store.links.oldestUnnumbered();
  const blocked = status.flows.flatMap(({ flow, blocked: reasons }) => {
    const codes = new Map<string, number>();
    for (const { code, count } of reasons) codes.set(code, (codes.get(code) ?? 0) + count);
    return [...codes].map(([code, value]) => ({ labels: { flow, code }, value }));
  });
  return `${[
    metric(
      'tandem_pairs',
      'Links by flow and status.',
      status.flows.flatMap(({ flow, pairs }) =>
        Object.entries(pairs).map(([state, value]) => ({ labels: { flow, status: state }, value })),
      ),
    ),
    metric('tandem_blocked_pairs', 'Blocked links by flow and reason code.', blocked),
    metric(
      'tandem_feed_lag_seconds',
      'Seconds since a feed was last read to its end.',
      status.feeds.flatMap(({ feed, lagSeconds }) => (lagSeconds === null ? [] : [{ labels: { feed }, value: lagSeconds }])),
    ),
    metric(
      'tandem_feed_in_trouble',
      'Whether something stands in the way of a feed.',
      status.feeds.map(({ feed, trouble }) => ({ labels: { feed }, value: trouble === null ? 0 : 1 })),
    ),
    metric('tandem_paused', 'Flows and systems that a person paused.', [{ value: status.paused.length }]),
    metric('tandem_oldest_unnumbered_change_seconds', 'Age of the oldest committed change that the stream does not show yet.', [
      { value: oldest === null ? 0 : Math.max(0, (Date.now() - oldest.getTime()) / 1000) },
    ]),
  ].join('\n')}\n`;
}
