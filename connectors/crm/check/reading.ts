import { instantKey, instantMs } from '../../../flows/instant.ts';
import { isLeftOut, type Snapshot } from '../../connector.ts';
import type { CrmParts } from '../connector.ts';
import { behindPage } from '../draft/more.ts';
import { placeOf } from '../profile/place.ts';
import { variablesOf } from '../profile/template.ts';
import type { Listing, ReadyType } from '../profile/resolve.ts';
import { floored, stampText, stepBefore } from '../profile/stamps.ts';
import { idOf, isGone, isObject, namesFor, placeIn, snapshotOf, type Json } from '../record.ts';
import { SystemError } from '../../systemError.ts';
import { failureOf, NotSeen, Refuted, type Findings } from './findings.ts';

/** What the checks of one type share. */
export interface CheckContext {
  readonly parts: CrmParts;
  readonly type: ReadyType;
  readonly fields: readonly string[];
  readonly findings: Findings;
  /** The profile says that answers may leave out what is empty. */
  readonly mayLeaveOut: boolean;
  readonly signal?: AbortSignal | undefined;
}

const DAY_MS = 86_400_000;
/** So few rows a page make a boundary with few records. */
const SMALL = 2;

export const callOptions = ({ signal }: CheckContext): { priority: 'sweep'; signal: AbortSignal | undefined } => ({
  priority: 'sweep',
  signal,
});

interface Rows {
  readonly rows: Json[];
  readonly headers: Headers;
  /** What the answer shows of records behind its page. */
  readonly behind: string | null;
}

/** One page of a list as it came, with as many rows as are asked for. */
async function rowsOf(context: CheckContext, list: Listing, variables: object): Promise<Rows> {
  const { parts, type, fields } = context;
  const { paging } = list;
  const first = paging.style === 'offset' ? { offset: 0 } : paging.style === 'page' ? { page: paging.first } : {};
  const answer = await parts.send(
    {
      operation: 'list',
      request: list,
      variables: { ...type.variables, ...namesFor(type, fields, list.record), size: paging.size, ...first, ...variables },
    },
    callOptions(context),
  );
  const rows = answer.status === 204 ? [] : placeOf(answer.body, list.items);
  if (!Array.isArray(rows)) throw new Refuted(`the answer has no list at ${list.items ?? 'its top'}`);
  return { rows: rows.filter(isObject), headers: answer.headers, behind: behindPage(answer.headers, answer.body, rows.length) };
}

/** A type whose lists come in small pages. */
const inSmallPages = (type: ReadyType): ReadyType => {
  const small = <T extends Listing | undefined>(list: T): T =>
    (list && { ...list, paging: { ...list.paging, size: SMALL } }) as T;
  const { list, changes } = type.operations;
  return { ...type, operations: { ...type.operations, list: small(list), ...(changes ? { changes: small(changes) } : {}) } };
};

/** Everything that can be seen without writing. Gives the rows that were seen, and whether answers leave out what is empty. */
export async function checkReading(context: CheckContext): Promise<{ absentSeen: boolean }> {
  const { type, findings } = context;
  const { operations } = type;
  let rows: Json[] = [];
  let shown = 0;
  let behind: string | null = null;
  let absentSeen = false;
  const listed = await findings.look(
    'list',
    `${type.name} are listed at ${operations.list.items ?? 'the top of the answer'}`,
    async () => {
      const page = await rowsOf(context, operations.list, {});
      shown = page.rows.length;
      ({ behind } = page);
      rows = page.rows.filter((row) => !isGone(row, operations.list.record));
      noteHeaders(context, page.headers);
      return `${rows.length} rows`;
    },
  );
  if (!listed) return { absentSeen };

  await findings.look(
    'rows',
    `rows show ${[operations.list.record.id, ...operations.list.record.changed].join(', ')}`,
    async () => {
      if (rows.length === 0) throw new NotSeen('there are no records');
      for (const row of rows)
        if (!operations.list.thin) snapshotOf(row, { ...readingOf(context), fields: [], shape: operations.list.record });
        else idOf(row, operations.list.record, type.name);
      return Promise.resolve('all do');
    },
  );
  if (!operations.list.thin)
    await findings.look('left-out', leftOutClaim(context), async () => {
      if (rows.length === 0) throw new NotSeen('there are no records');
      absentSeen = judgeLeftOut(context, rows);
      return Promise.resolve(absentSeen ? 'some leave out what is empty' : 'every row shows every property');
    });
  const [row] = rows;
  if (row) {
    const id = idOf(row, operations.list.record, type.name);
    await checkRead(context, id, (body) => {
      absentSeen = judgeLeftOut(context, [body]) || absentSeen;
    });
    await findings.look('unknown id', 'a record that does not exist is told from a failure', () => unknownId(context, id));
  }
  await findings.look('paging', `pages by ${operations.list.paging.style}, ${operations.list.paging.size} a page`, () =>
    checkPaging(context, { shown, behind }),
  );
  if (operations.changes) await checkChanges(context);
  else
    findings.add({
      name: 'changes',
      claim: 'no filter by change',
      seen: '',
      verdict: 'note',
      without: 'everything is listed at every look',
    });
  return { absentSeen };
}

const readingOf = ({
  parts,
  type,
  fields,
}: CheckContext): { type: ReadyType; fields: readonly string[]; absentSeen: boolean; clock: CrmParts['clock'] } => ({
  type,
  fields,
  absentSeen: true,
  clock: parts.clock,
});

const leftOutClaim = ({ mayLeaveOut }: CheckContext): string =>
  mayLeaveOut ? 'what is empty may be left out' : 'every answer shows every property';

/** Whether records leave something out; refuted where the profile says that none does. */
export function judgeLeftOut({ type, fields, mayLeaveOut }: CheckContext, rows: readonly Json[]): boolean {
  const lacking = fields.filter((name) => rows.some((row) => isLeftOut(row, placeIn(type, name))));
  if (lacking.length === 0) return false;
  const never = lacking.filter((name) => rows.every((row) => isLeftOut(row, placeIn(type, name))));
  if (!mayLeaveOut)
    throw new Refuted(
      `${lacking.join(', ')} left out${never.length > 0 ? ` (${never.join(', ')} by every row: ask for it with {fields})` : ''}`,
      'such a record is blocked',
    );
  return true;
}

/** What a conditional write carries. */
export const conditionWords = ({ header, value }: { readonly header?: string | undefined; readonly value: string }): string =>
  header === undefined ? value : `${header}: ${value}`;

async function checkRead(context: CheckContext, id: string, body: (body: Json) => void): Promise<void> {
  const { parts, type, fields, findings } = context;
  await findings.look('read', `${type.name} ${id} is read by its id`, async () => {
    const found = await parts.read({ type, id, fields }, callOptions(context));
    body(found.body);
    if (typeof type.condition === 'object' && found.seen.etag === undefined)
      throw new Refuted(`a single record shows nothing for ${conditionWords(type.condition)}`, 'no write could be conditional');
    return `the id that comes back is ${found.seen.id}; ${fields.length} properties`;
  });
}

/** An id of the same shape that nobody has. */
export function strangeId(id: string): string {
  if (/^\d+$/.test(id)) return '9'.repeat(Math.max(8, Math.min(9, id.length)));
  const other = id.replace(/[0-9a-f](?=[0-9a-f]*$)/gi, (sign) => (sign === '7' ? '3' : '7'));
  return other === id ? `${id.slice(0, -1)}${id.endsWith('z') ? 'y' : 'z'}` : other;
}

async function unknownId(context: CheckContext, id: string): Promise<string> {
  const { parts, type } = context;
  const error = await failureOf(() => parts.read({ type, id: strangeId(id), fields: [] }, callOptions(context)));
  if (error === null) throw new Refuted(`an id that nobody has is answered with a record`);
  if (error.failure === 'gone') return `${error.status ?? ''} is read as gone`.trim();
  throw new Refuted(
    `${error.text}: read as ${error.failure}. If this is how it says so, give a rule under errors, "is": "gone"`,
    'a deletion would look like a failure',
  );
}

async function checkPaging(
  context: CheckContext,
  first: { readonly shown: number; readonly behind: string | null },
): Promise<string> {
  const { parts, type } = context;
  const { size, style, more, first: firstPage } = type.operations.list.paging;
  const { shown, behind } = first;
  if (style === 'none') {
    if (behind !== null) throw new Refuted(`${behind}: say how it pages`, 'the rest would be missed');
    return `one page of ${shown}`;
  }
  if ((style === 'offset' || style === 'page') && more === undefined && shown > 0 && shown < size) {
    const second = style === 'offset' ? { offset: shown } : { page: firstPage + 1 };
    const next = await rowsOf(context, type.operations.list, second).catch((error: unknown) => {
      // Behind the last page some systems show none.
      if (error instanceof SystemError && error.failure === 'gone') return { rows: [] };
      throw error;
    });
    if (next.rows.length > 0)
      throw new Refuted(
        `asked for ${size} a page, got ${shown}, and there are more: give a smaller size`,
        'the rest would be missed',
      );
  }
  const small = inSmallPages(type);
  const { path, query, headers, body } = type.operations.list;
  const sized = [path, query, headers, body].some((part) => variablesOf(part).some(({ name }) => name === 'size'));
  const ids: string[] = [];
  let pages = 0;
  for await (const page of parts.listOf(small, [], callOptions(context)).ids()) {
    const got = page.ids.length;
    if (sized && got > SMALL) throw new Refuted(`asked for ${SMALL} a page, got ${got}: name {size} in the request`);
    ids.push(...page.ids);
    if (++pages >= 3) break;
  }
  if (pages < 2) throw new NotSeen(`${ids.length} records are too few for a second page`);
  if (new Set(ids).size < ids.length) throw new Refuted('the second page shows records of the first', 'records would be missed');
  return `${pages} pages${sized ? ` of ${SMALL}` : ''}, no record twice`;
}

/** All of one look, one page at most where there are many. */
export async function look(context: CheckContext, since: string, most = 1000): Promise<Snapshot[]> {
  const rows: Snapshot[] = [];
  for await (const page of context.parts.listOf(context.type, context.fields, callOptions(context)).changed({ since })) {
    rows.push(...page.records);
    if (rows.length >= most) break;
  }
  return rows;
}

// oxlint-disable-next-line max-lines-per-function -- three findings of one question, which share how it is asked
async function checkChanges(context: CheckContext): Promise<void> {
  const { type, findings } = context;
  const { changes } = type.operations;
  if (!changes) return;
  const { stamps } = type;
  const ask = (at: number): Promise<Json[]> =>
    rowsOf(context, changes, {
      since: stampText(floored(at, stamps), stamps),
      until: stampText(Date.now() + DAY_MS, stamps),
    }).then(({ rows }) => rows.filter((row) => !isGone(row, changes.record)));
  const stampsOf = (rows: readonly Json[]): string[] =>
    changes.thin ? [] : rows.map((row) => snapshotOf(row, { ...readingOf(context), fields: [], shape: changes.record }).instant);

  /** Some systems are asked of no instant that is to come: then the newest record shows whether older ones are left out. */
  async function onlyNewest(refusal: SystemError): Promise<string> {
    const newest = stampsOf(await ask(0)).sort((a, b) => instantMs(b) - instantMs(a))[0];
    if (newest === undefined) throw refusal;
    const from = floored(instantMs(newest), stamps);
    const older = stampsOf(await ask(from)).filter((each) => instantMs(each) < stepBefore(from, stamps));
    if (older.length > 0)
      throw new Refuted(
        `asked from ${stampText(from, stamps)} on, ${older.length} older records are shown: the filter is ignored`,
      );
    return `nothing older than ${newest}, asked from there on`;
  }
  await findings.look('filter', 'only what changed since an instant is shown', async () => {
    let later: Json[];
    try {
      later = await ask(Date.now() + 2 * DAY_MS);
    } catch (error) {
      if (!(error instanceof SystemError) || error.failure !== 'refused') throw error;
      return onlyNewest(error);
    }
    if (later.length > 0)
      throw new Refuted(`asked from the day after tomorrow on, ${later.length} records are shown: the filter is ignored`);
    return 'nothing has changed after tomorrow';
  });
  await findings.look(
    'edges',
    stamps.inclusive ? 'the instant itself is included' : 'the instant before shows a record',
    async () => {
      const all = await ask(0);
      if (all.length === 0) throw new NotSeen('there are no changes');
      const instants = stampsOf(all).sort((a, b) => (instantKey(a) < instantKey(b) ? -1 : 1));
      const middle = instants[Math.floor(instants.length / 2)];
      if (middle === undefined) throw new NotSeen('rows show no stamp');
      const from = stamps.inclusive ? floored(instantMs(middle), stamps) : stepBefore(instantMs(middle), stamps);
      const shown = stampsOf(await ask(from));
      if (
        !shown.some((each) => instantKey(each) >= instantKey(middle)) ||
        (all.length < changes.paging.size && !shown.includes(middle))
      )
        throw new Refuted(
          `asked from ${stampText(from, stamps)} on, the record that changed at ${middle} is not shown: look at inclusive, grainMs, format and zone`,
          'edits would be lost',
        );
      return `asked from ${stampText(from, stamps)} on, the record of ${middle} is shown`;
    },
  );
  if (stamps.sorted === 'yes')
    await findings.look('order', 'changes come oldest first', async () => {
      const instants = stampsOf(await ask(0)).map(instantKey);
      if (new Set(instants).size < 2) throw new NotSeen('too few different stamps');
      if (instants.some((each, i) => i > 0 && each < (instants[i - 1] ?? '')))
        throw new Refuted('they do not: sort the request, or say "sorted": "no"', 'edits would be lost');
      return `${instants.length} rows in order`;
    });
}

/** Headers by which a system tells its limits, and its clock. */
function noteHeaders({ findings, parts }: CheckContext, headers: Headers): void {
  const limits = [...headers].filter(([name]) => /rate-?limit|retry-after|quota|throttl/i.test(name));
  findings.add({
    name: 'limits',
    claim: 'what the answers tell of limits',
    seen: limits.length > 0 ? limits.map(([name, value]) => `${name}: ${value}`).join(', ') : 'nothing',
    verdict: 'note',
  });
  const { lo, hi, by } = parts.clock.estimate;
  findings.add({
    name: 'clock',
    claim: 'a Date header tells the time',
    seen: by === 'nothing' ? 'no Date header' : `${Math.round((lo + hi) / 2)} ms from ours`,
    verdict: 'note',
    ...(by === 'nothing' ? { without: 'its clock is known from answers to writes alone' } : {}),
  });
}
