import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { ALERTS, alertsNamed, DASHBOARD, metricsNamed, PROMTOOL } from './monitoring.ts';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));
const read = (file: string): string => readFileSync(join(ROOT, file), 'utf8');
const promtool = (...args: string[]): { status: number | null; said: string } => {
  const { status, stdout, stderr } = spawnSync(PROMTOOL, args, { cwd: join(ROOT, dirname(ALERTS)), encoding: 'utf8' });
  return { status, said: `${stdout}${stderr}` };
};

describe('monitoring', () => {
  it('the alert rules do what their unit tests say (promtool)', function () {
    if (PROMTOOL === '') this.skip();
    for (const args of [
      ['check', 'config', 'prometheus.yml'],
      ['check', 'rules', 'alerts.yml'],
      ['test', 'rules', 'alerts.test.yml'],
    ]) {
      const { status, said } = promtool(...args);
      assert.equal(status, 0, said);
    }
  });

  it('every alert has its unit test, its section of the runbook and its link there, and no section is without an alert', () => {
    const alerts = alertsNamed();
    assert.ok(alerts.size >= 15);
    const sections = [...read('docs/runbook.md').matchAll(/^## (\w+)$/gm)].map(([, name = '']) => name);
    assert.deepEqual([...alerts.keys()].sort(), sections.sort());
    const tested = new Set(
      [...read('examples/monitoring/alerts.test.yml').matchAll(/alertname: (\w+)/g)].map(([, name = '']) => name),
    );
    assert.deepEqual([...alerts.keys()].sort(), [...tested].sort());
    for (const [name, rule] of alerts)
      assert.ok(rule.includes(`runbook_url: docs/runbook.md#${name.toLowerCase()}\n`), `${name}: the link to its section`);
  });

  it('the dashboard is one that Grafana takes: panels with ids of their own that do not overlap, each with an expression', () => {
    const { panels, title } = JSON.parse(read(DASHBOARD)) as {
      title: string;
      panels: { id: number; gridPos: { x: number; y: number; w: number }; targets: { expr: string }[] }[];
    };
    assert.equal(title, 'Tandem');
    assert.equal(new Set(panels.map(({ id }) => id)).size, panels.length);
    assert.equal(new Set(panels.map(({ gridPos: { x, y } }) => `${x} ${y}`)).size, panels.length);
    assert.ok(panels.every(({ targets, gridPos: { x, w } }) => targets.every(({ expr }) => expr !== '') && x + w <= 24));
    assert.ok(metricsNamed().length >= 15);
  });
});
