import { existsSync, readdirSync, readFileSync } from 'node:fs';

const text = (file: string): string => readFileSync(new URL(`../../${file}`, import.meta.url), 'utf8');

/** Prometheus' own checker, where this machine has it (Debian's package `prometheus`). */
export const PROMTOOL =
  ['/usr/bin/promtool', '/usr/local/bin/promtool', process.env['PROMTOOL'] ?? ''].find(
    (each) => each !== '' && existsSync(each),
  ) ?? '';

export const ALERTS = 'examples/monitoring/alerts.yml';
export const DASHBOARD = 'examples/monitoring/dashboard.json';

/** Every expression of the dashboard. */
function dashboardQueries(): string[] {
  const { panels } = JSON.parse(text(DASHBOARD)) as { panels: { targets?: { expr: string }[] }[] };
  return panels.flatMap(({ targets = [] }) => targets.map(({ expr }) => expr));
}

/** Metrics that the dashboard and the alert rules name; what a rule records itself has a colon. */
export function metricsNamed(): string[] {
  const expressions = [...dashboardQueries(), text(ALERTS)].join('\n');
  return [...new Set(expressions.match(/\b(?:tandem|temporal)_\w+\b(?!:)/g) ?? [])].filter((name) => !name.endsWith('_'));
}

/** Whether Temporal's runtime has such a metric: some show up with the first failure only. */
export function ofTemporal(name: string): boolean {
  const bare = /^temporal_(\w+?)(?:_seconds)?(?:_bucket|_total|_count|_sum)?$/.exec(name)?.[1];
  if (bare === undefined) return false;
  const releases = new URL('../../node_modules/@temporalio/core-bridge/releases/', import.meta.url);
  const [release = ''] = readdirSync(releases).filter((each) => each.includes(process.platform) || each.includes('linux'));
  return readFileSync(new URL(`${release}/index.node`, releases)).includes(bare);
}

/** The alerts of the rules, by name, with what stands between each and the next. */
export function alertsNamed(): Map<string, string> {
  const parts = text(ALERTS)
    .split(/^\s+- alert: /m)
    .slice(1);
  return new Map(parts.map((part) => [/^\w+/.exec(part)?.[0] ?? '', part]));
}
