import type { Values } from '../../../flows/values.ts';
import { crmParts, type CrmGiven } from '../connector.ts';
import { profileHash } from '../profile/read.ts';
import type { ReadyType } from '../profile/resolve.ts';
import { checkReading, callOptions, type CheckContext } from './reading.ts';
import { cleanUp, Throwaway } from './throwaway.ts';
import { checkWriting } from './writing.ts';
import { failureOf, Findings, isOutage, type Finding } from './findings.ts';

/** What is checked, and how far. */
export interface CheckGiven extends Omit<CrmGiven, 'absentSeen'> {
  readonly typeName: string;
  /** No record is made. */
  readonly readOnly: boolean;
  /** Properties that a record must have, so that the throwaway one is taken. */
  readonly values?: Values;
  readonly signal?: AbortSignal;
}

/** What a check of one type found. */
export interface CheckReport {
  readonly profile: string;
  readonly hash: string;
  readonly type: string;
  readonly readOnly: boolean;
  readonly findings: readonly Finding[];
  /** Whether answers were seen to leave out what is empty. */
  readonly absentSeen: boolean;
}

/** While it is checked, what is left out is seen rather than refused. */
function lenient(type: ReadyType): ReadyType {
  const record = { ...type.record, absent: 'noValue' as const };
  const operations = Object.entries(type.operations).map(([name, operation]) => [
    name,
    'record' in operation ? { ...operation, record: { ...operation.record, absent: 'noValue' } } : operation,
  ]);
  return { ...type, record, operations: Object.fromEntries(operations) as ReadyType['operations'] };
}

/** Holds a profile against the real system: what it claims, what is seen. Makes and removes throwaway records unless `readOnly`. */
export async function checkProfile(given: CheckGiven): Promise<CheckReport> {
  const { profile, typeName, readOnly, values = {} } = given;
  const parts = crmParts({ ...given, absentSeen: Object.keys(profile.types) });
  const type = parts.typeOf(typeName);
  const findings = new Findings();
  const fields = type.fields.map(({ name }) => name).filter((name) => !name.includes('['));
  const mayLeaveOut = type.record.absent === 'noValue';
  const context: CheckContext = { parts, type: lenient(type), fields, findings, mayLeaveOut, signal: given.signal };
  const report = (absentSeen: boolean): CheckReport => ({
    profile: profile.name,
    hash: profileHash(profile),
    type: typeName,
    readOnly,
    findings: findings.all,
    absentSeen,
  });

  const refusal = await failureOf(() => parts.listOf(context.type, [], callOptions(context)).probe('list'));
  // A system that is away refutes nothing: the check fails, and is not kept.
  if (refusal && isOutage(refusal)) throw refusal;
  const reached = await findings.look('sign-in', `signs in by ${profile.auth.kind}`, () => {
    if (refusal) throw refusal;
    return Promise.resolve('the key is taken');
  });
  if (!reached) return report(false);
  const property = type.fields.find(
    ({ name, type: kind, writable, refers }) => kind === 'string' && writable && refers === undefined && !(name in values),
  );
  const why = readOnly
    ? 'read-only'
    : !type.operations.delete
      ? 'the profile has no operation delete, so no throwaway record is made'
      : !property
        ? `${typeName} has no writable text property`
        : null;
  const throwaway = property === undefined ? null : { property: property.name, values };
  let { absentSeen } = await withRecords(context, why === null ? throwaway : null, () => checkReading(context));
  if (why !== null || !throwaway)
    findings.add({ name: 'writing', claim: 'creates, updates, conditions, deletions', seen: why ?? '', verdict: 'not seen' });
  else absentSeen = (await checkWriting(context, throwaway)).absentSeen || absentSeen;
  return report(absentSeen);
}

/** So many records make a second page of the check's own. */
const ENOUGH = 3;

/** Reads a type that has few records or none with some throwaway ones among them: else next to nothing would be seen. */
async function withRecords<T>(
  context: CheckContext,
  given: { readonly property: string; readonly values: Values } | null,
  work: () => Promise<T>,
): Promise<T> {
  if (given === null) return work();
  let there = ENOUGH;
  // Why it cannot be listed is told where lists are looked at.
  await failureOf(async () => {
    there = (await context.parts.listOf(context.type, [], callOptions(context)).probe('list', ENOUGH)).rows.length;
  });
  if (there >= ENOUGH) return work();
  const throwaway = new Throwaway(context, given.property, given.values);
  try {
    // Whether a create works, and why not, is told where creates are looked at.
    for (let n = there; n < ENOUGH; n++)
      if (await failureOf(() => throwaway.create(throwaway.identity(), `${throwaway.mark} ${n}`))) break;
    return await work();
  } finally {
    await cleanUp(throwaway);
  }
}

/** The claims that were refuted, in words. */
export const refutedIn = ({ findings, type }: CheckReport): string[] =>
  findings.filter(({ verdict }) => verdict === 'refuted').map(({ name, seen }) => `${type}: ${name}: ${seen}`);
