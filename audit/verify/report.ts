import type { Value } from '../../flows/values.ts';
import { gather } from '../survey/keys.ts';
import { unreadableInWords } from '../survey/survey.ts';
import type { Example, Statement } from './statements.ts';
import type { Verification } from './verify.ts';

const show = (value: Value | undefined): string =>
  value === undefined || value === null ? '(none)' : typeof value === 'string' ? value : JSON.stringify(value);

/** Statements by flow, in their order. */
export function byFlow({ statements }: Verification): [string, Statement[]][] {
  const flows = new Map<string, Statement[]>();
  for (const each of statements) gather(flows, each.flow, each);
  return [...flows];
}

/** Whether a statement holds. */
export const isGreen = ({ broken }: Statement): boolean => broken === 0;

/** The verdict in a line. */
export const headline = ({ statements, refused, unreadable }: Verification): string => {
  const broken = statements.filter((each) => !isGreen(each)).length;
  const not = [
    refused.length > 0 ? `; ${refused.length} sections could not be checked` : '',
    unreadable.length > 0 ? `; ${unreadable.length} records cannot be read` : '',
  ].join('');
  return broken === 0
    ? `all ${statements.length} statements hold${not}`
    : `${broken} of ${statements.length} statements are broken${not}`;
};

/** What could not be checked, with why: sections that do not run, and records that cannot be read. */
export const notChecked = ({ refused, unreadable }: Verification): { readonly what: string; readonly why: string }[] => [
  ...refused.map(({ section, why }) => ({ what: section, why: why.join('; ') })),
  ...unreadable.map((each) => ({ what: `${each.type} ${each.id ?? '(no id)'}`, why: unreadableInWords(each) })),
];

/** A case that breaks a statement, in a line. */
export function exampleInWords({ source, target, sourceValue, targetValue, why }: Example): string {
  const values =
    sourceValue === undefined && targetValue === undefined ? '' : `: "${show(sourceValue)}" and "${show(targetValue)}"`;
  return `${source ?? '(none)'} <-> ${target ?? '(none)'}${values} (${why})`;
}

const XML: Readonly<Record<string, string>> = { '<': '&lt;', '>': '&gt;', '&': '&amp;', '"': '&quot;', "'": '&#39;' };
/** Text for XML and HTML; what no XML can hold is left out. */
const escape = (text: string): string =>
  // oxlint-disable-next-line no-control-regex -- control characters are what it takes out
  text.replace(/[\u0000-\u0008\u000B\u000C\u000E-\u001F]/g, '').replace(/[<>&"']/g, (character) => XML[character] ?? '');

/** A JUnit report: a suite for each flow, a case for each statement. */
export function junit(found: Verification): string {
  const suites = byFlow(found).map(([flow, mine]) => {
    const cases = mine.map((each) => {
      const open = `    <testcase classname="${escape(flow)}" name="${escape(each.text)}"`;
      if (isGreen(each)) return `${open}/>`;
      const message = `${each.broken} of ${each.checked} broken`;
      return `${open}>\n      <failure message="${escape(message)}">${escape(each.examples.map(exampleInWords).join('\n'))}</failure>\n    </testcase>`;
    });
    const failures = mine.filter((each) => !isGreen(each)).length;
    return [
      `  <testsuite name="${escape(flow)}" tests="${mine.length}" failures="${failures}" timestamp="${found.at}">`,
      ...cases,
      '  </testsuite>',
    ].join('\n');
  });
  const skipped = notChecked(found).map(
    ({ what, why }) =>
      `  <testsuite name="${escape(what)}" tests="1" failures="0" skipped="1">\n    <testcase classname="${escape(what)}" name="can be checked"><skipped message="${escape(why)}"/></testcase>\n  </testsuite>`,
  );
  return `<?xml version="1.0" encoding="UTF-8"?>\n<testsuites name="tandem verify">\n${[...suites, ...skipped].join('\n')}\n</testsuites>\n`;
}

const STYLE = `
:root { color-scheme: light dark; --line: #8884; --good: #18794e; --bad: #ca2a30; }
body { font: 16px/1.5 system-ui, sans-serif; max-width: 60rem; margin: 2rem auto; padding: 0 1rem; }
h1 { font-size: 1.6rem; margin-bottom: 0; } h2 { font-size: 1.2rem; margin-top: 2.5rem; }
.verdict { font-size: 1.15rem; font-weight: 600; } .good { color: var(--good); } .bad { color: var(--bad); }
table { border-collapse: collapse; width: 100%; } th, td { text-align: left; padding: .4rem .6rem; border-bottom: 1px solid var(--line); vertical-align: top; }
td.n, th.n { text-align: right; font-variant-numeric: tabular-nums; white-space: nowrap; }
.mark { font-weight: 700; white-space: nowrap; } details { margin: .4rem 0; } summary { cursor: pointer; } small { opacity: .75; }
.examples td { font-size: .9rem; overflow-wrap: anywhere; }
@media print { body { margin: 0; max-width: none; } details > * { display: block; } }`;

function statementRow(each: Statement): string {
  const note = each.note === null ? '' : `<br><small>${escape(each.note)}</small>`;
  const rows = each.examples
    .map(
      ({ source, target, sourceValue, targetValue, why }) =>
        `<tr><td>${escape(source ?? '')}</td><td>${escape(target ?? '')}</td><td>${sourceValue === undefined ? '' : escape(show(sourceValue))}</td><td>${targetValue === undefined ? '' : escape(show(targetValue))}</td><td>${escape(why)}</td></tr>`,
    )
    .join('');
  const more = each.broken > each.examples.length ? `<p>and ${each.broken - each.examples.length} more</p>` : '';
  const examples =
    each.examples.length === 0
      ? ''
      : `<details open><summary>first cases</summary><table class="examples"><tr><th>source</th><th>target</th><th>source says</th><th>target says</th><th>why</th></tr>${rows}</table>${more}</details>`;
  const mark = isGreen(each) ? '<td class="mark good">✓ holds</td>' : '<td class="mark bad">✗ broken</td>';
  return `<tr>${mark}<td>${escape(each.text)}${note}${examples}</td><td class="n">${each.checked}</td><td class="n">${each.held}</td><td class="n">${each.broken}</td></tr>`;
}

/** One self-contained page: no script, nothing fetched. */
export function html(found: Verification): string {
  const green = found.statements.every(isGreen);
  const about = found.document
    ? `${found.document.source} to ${found.document.target || '(no name)'}, document generated ${found.document.generated}`
    : Object.values(found.world).join(' and ');
  const sections = byFlow(found).map(([flow, mine]) => {
    const rows = mine.map(statementRow);
    return `<h2>${escape(flow)}</h2><table><tr><th>result</th><th>statement</th><th class="n">checked</th><th class="n">held</th><th class="n">broken</th></tr>${rows.join('')}</table>`;
  });
  const not = notChecked(found).map(({ what, why }) => `<p><strong>Not checked: ${escape(what)}</strong><br>${escape(why)}</p>`);
  return `<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<title>Acceptance: ${escape(headline(found))}</title><style>${STYLE}</style></head>
<body><h1>Acceptance of the dataflow</h1><p>${escape(about)}<br><small>checked ${escape(found.at.slice(0, 19).replace('T', ' '))} UTC, ${found.records} records read</small></p>
<p class="verdict ${green ? 'good' : 'bad'}">${escape(headline(found))}</p>
${sections.join('\n')}
${not.join('\n')}
</body></html>
`;
}
