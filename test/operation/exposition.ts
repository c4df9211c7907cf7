import assert from 'node:assert/strict';

/** A sample as the text format has it. */
export interface Read {
  readonly name: string;
  readonly family: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly value: number;
}

const LABEL = /^([A-Za-z_]\w*)="((?:[^"\\\n]|\\["\\n])*)"(?:,|$)/;

function labelsOf(text: string): Record<string, string> {
  const labels: Record<string, string> = {};
  for (let rest = text; rest !== '';) {
    const found = LABEL.exec(rest);
    assert.ok(found, `labels: ${text}`);
    const [all, name = '', value = ''] = found;
    assert.ok(!(name in labels), `${name} twice in ${text}`);
    labels[name] = value;
    rest = rest.slice(all.length);
  }
  return labels;
}

/** Reads the text format of Prometheus (0.0.4), strictly: every family announced once, its samples together, none twice. */
export function readExposition(text: string): readonly Read[] {
  assert.ok(text.endsWith('\n'), 'ends with a line feed');
  const types = new Map<string, string>();
  const helped = new Set<string>();
  const seen = new Set<string>();
  const samples: Read[] = [];
  let family = '';
  for (const line of text.split('\n').slice(0, -1)) {
    const help = /^# HELP ([a-zA-Z_:][\w:]*) \S/.exec(line);
    if (help) {
      assert.ok(!helped.has(help[1] ?? ''), `${line} twice`);
      helped.add(help[1] ?? '');
      continue;
    }
    const type = /^# TYPE ([a-zA-Z_:][\w:]*) (counter|gauge|histogram|summary|untyped)$/.exec(line);
    if (type) {
      family = type[1] ?? '';
      assert.ok(!types.has(family), `${family} is announced twice`);
      assert.ok(helped.has(family), `${family} has no help`);
      types.set(family, type[2] ?? '');
      continue;
    }
    if (line === '') continue;
    const sample = /^([a-zA-Z_:][\w:]*)(?:\{(.*)\})? (NaN|[+-]Inf|[-+\d.eE]+)$/.exec(line);
    assert.ok(sample, `no sample: ${line}`);
    const [, name = '', labels = '', number = ''] = sample;
    const parts = types.get(family) === 'histogram' ? ['_bucket', '_sum', '_count'].map((part) => family + part) : [family];
    assert.ok(parts.includes(name), `${name} stands among the samples of ${family}`);
    assert.ok(!seen.has(`${name}{${labels}}`), `${line} twice`);
    seen.add(`${name}{${labels}}`);
    const value = Number(number.replace('Inf', 'Infinity'));
    assert.ok(number === 'NaN' || !Number.isNaN(value), line);
    samples.push({ name, family, labels: labelsOf(labels), value });
  }
  return samples;
}
