import { byFlow, exampleInWords, headline, isGreen, notChecked } from '../../audit/verify/report.ts';
import type { Verification } from '../../audit/verify/verify.ts';
import { table } from './table.ts';

/** The checklist for a terminal. */
export function checklist(found: Verification): string {
  const parts = byFlow(found).map(([flow, mine]) => {
    const rows = mine.map((each) => [
      isGreen(each) ? '✓' : '✗',
      each.text + (each.note === null ? '' : ` (${each.note})`),
      String(each.checked),
      String(each.held),
      String(each.broken),
    ]);
    const examples = mine
      .filter((each) => !isGreen(each))
      .map((each) =>
        [
          `  ✗ ${each.text}`,
          ...each.examples.map((example) => `      ${exampleInWords(example)}`),
          ...(each.broken > each.examples.length ? [`      and ${each.broken - each.examples.length} more`] : []),
        ].join('\n'),
      );
    return [flow, table(['', 'statement', 'checked', 'held', 'broken'], rows), ...examples].join('\n');
  });
  const not = notChecked(found).map(({ what, why }) => `not checked: ${what}: ${why}`);
  const calls = Object.entries(found.calls)
    .map(([system, n]) => `${n} to ${system}`)
    .join(', ');
  return [...parts, ...not, `${found.records} records read with ${calls} calls; ${headline(found)}`].join('\n\n');
}
