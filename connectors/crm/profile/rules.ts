import { isZone } from './stamps.ts';
import { suggest } from '../../../flows/validate.ts';
import type { JsonPath } from './lines.ts';
import { typeProfile, type Listing, type Request, type TypeProfile } from './resolve.ts';
import { OPERATIONS, type OperationName, type Profile } from './schema.ts';
import { FILTER_NAMES, variablesOf } from './template.ts';

/** Something that a profile must not say, and where it says it. */
export interface Problem {
  readonly path: JsonPath;
  readonly what: string;
}

const PAGING = ['size', 'cursor', 'offset', 'page', 'afterId'];
const FIELDS = ['fields', 'columns'];
const KNOWN: Readonly<Record<OperationName, readonly string[]>> = {
  list: [...PAGING, ...FIELDS],
  changes: [...PAGING, ...FIELDS, 'since', 'until'],
  find: [...PAGING, ...FIELDS, 'externalId'],
  read: ['id', ...FIELDS],
  create: ['values', 'properties', 'externalId', 'idempotencyKey', ...FIELDS],
  update: ['id', 'values', 'properties', 'etag', 'condition', ...FIELDS],
  delete: ['id', 'etag', 'condition'],
  deleted: [...PAGING, 'since', 'until'],
  identity: [],
};
/** Without these nothing goes. */
const NEEDED: readonly OperationName[] = ['list', 'read', 'create', 'update'];
const STYLE_VARIABLES = { cursor: 'cursor', offset: 'offset', page: 'page' } as const;

/** What a request names, wherever it names it. */
const named = (request: Request): { name: string; filter: string | undefined }[] =>
  [request.path, request.query, request.headers, request.body].flatMap((part) => variablesOf(part));

/** Everything that a well-formed profile says and that cannot be so. */
export function problemsOf(profile: Profile): Problem[] {
  const problems = [...generalProblems(profile)];
  for (const typeName of Object.keys(profile.types)) {
    const type = typeProfile(profile, typeName);
    problems.push(...typeProblems(profile, type));
  }
  // What the profile's own level says wrongly is said once, not once a type.
  return [...new Map(problems.map((each) => [JSON.stringify([each.path, each.what]), each])).values()];
}

function* generalProblems(profile: Profile): Iterable<Problem> {
  const { auth, errors, types } = profile;
  if (auth.kind === 'oauth2' && auth.grant === 'refresh_token' && !auth.refreshToken)
    yield { path: ['auth', 'grant'], what: 'the grant refresh_token needs refreshToken, by variable or file' };
  if (auth.kind === 'oauth2' && auth.grant === 'client_credentials' && auth.refreshToken)
    yield { path: ['auth', 'refreshToken'], what: 'the grant client_credentials knows no refresh token' };
  if (auth.kind === 'login') yield* loginProblems(auth);
  if (!isZone(profile.stamps.zone))
    yield { path: ['stamps', 'zone'], what: `${profile.stamps.zone} is no zone: say +01:00, or a name such as Europe/Oslo` };
  for (const [i, rule] of errors.entries()) {
    const path = ['errors', i];
    if (rule.status === undefined && rule.at === undefined && rule.contains === undefined)
      yield { path, what: 'the rule fits every failure: give status, at or contains' };
    if (rule.equals !== undefined && rule.at === undefined) yield { path, what: 'equals needs at, the place to compare' };
    if (rule.status !== undefined && rule.status < 300 && rule.at === undefined)
      yield { path, what: 'a rule for a status of success needs at: else every success were a failure' };
  }
  for (const [typeName, type] of Object.entries(types))
    for (const [i, field] of type.fields.entries()) {
      const path = ['types', typeName, 'fields', i];
      if (field.refers !== undefined && !(field.refers in types))
        yield {
          path: [...path, 'refers'],
          what: `there is no type ${field.refers}: ${suggest(field.refers, Object.keys(types))}`,
        };
      if (type.fields.findIndex((other) => other.name === field.name) < i)
        yield { path: [...path, 'name'], what: `${field.name} is named twice` };
    }
}

function* loginProblems(auth: Extract<Profile['auth'], { kind: 'login' }>): Iterable<Problem> {
  const known = ['user', 'password'];
  for (const { name } of variablesOf(auth.body))
    if (!known.includes(name))
      yield { path: ['auth', 'body'], what: `{${name}} is no variable of a log-in: ${suggest(name, known)}` };
  if ((auth.token === undefined) === (auth.cookie === undefined))
    yield { path: ['auth'], what: 'a log-in needs either token, where its answer shows one, or cookie, the name of one' };
}

function* typeProblems(profile: Profile, type: TypeProfile): Iterable<Problem> {
  const place = (operation: OperationName, ...more: string[]): JsonPath =>
    profile.types[type.name]?.operations[operation] !== undefined || profile.operations[operation] === undefined
      ? ['types', type.name, 'operations', operation, ...more]
      : ['operations', operation, ...more];
  for (const operation of NEEDED)
    if (!type.operations[operation])
      yield { path: ['types', type.name], what: `${type.name} has no operation ${operation}: give it under operations` };
  for (const operation of OPERATIONS) {
    const request = type.operations[operation];
    if (!request) continue;
    yield* requestProblems(type, { operation, request, path: place(operation) });
    if ('paging' in request) yield* listProblems(operation, request, place(operation));
  }
  yield* conditionProblems(profile, type);
  const { create, update, find } = type.operations;
  if (create?.upserts && (!find || type.record.externalId === undefined))
    yield {
      path: place('create', 'upserts'),
      what: 'upserts needs record.externalId and the operation find: else a record that is there already would be overwritten unseen',
    };
  if (update?.omit && update.style !== 'replace')
    yield {
      path: place('update', 'omit'),
      what: 'omit has a meaning with the style replace alone: else nothing is sent but the changes',
    };
  if (update && update.style !== 'jsonPatch' && type.condition === 'jsonPatchTest')
    yield { path: place('update'), what: 'the condition jsonPatchTest needs the style jsonPatch' };
}

function* requestProblems(
  type: TypeProfile,
  { operation, request, path }: { readonly operation: OperationName; readonly request: Request; readonly path: JsonPath },
): Iterable<Problem> {
  if (typeof request.path !== 'string') {
    yield { path, what: `${operation} has no path` };
    return;
  }
  const known = [...KNOWN[operation], ...Object.keys(type.variables)];
  const used = named(request);
  for (const { name, filter } of used) {
    if (!known.includes(name)) yield { path, what: `{${name}} is no variable of ${operation}: ${suggest(name, known)}` };
    if (filter !== undefined && !FILTER_NAMES.includes(filter))
      yield { path, what: `{${name}|${filter}}: there is no filter ${filter}: ${suggest(filter, FILTER_NAMES)}` };
  }
  const needs = (name: string, why: string): Problem[] =>
    used.some((each) => each.name === name) ? [] : [{ path, what: `${operation} does not name {${name}}: ${why}` }];
  if (['read', 'update', 'delete'].includes(operation)) yield* needs('id', 'every record would be the same');
  if (['create', 'update'].includes(operation) && !used.some((each) => each.name === 'properties'))
    yield* needs('values', 'nothing would be sent');
  if (operation === 'changes') yield* needs('since', 'leave changes out where there is no such filter');
  if (operation === 'find') yield* needs('externalId', 'leave find out where there is no such filter');
  if (operation === 'find' && type.record.externalId === undefined)
    yield { path, what: 'find needs record.externalId, the property that carries it' };
  if (request.method === 'GET' && request.body !== undefined)
    yield { path, what: 'a GET has no body: say "method": "POST", or use query' };
}

function* listProblems(operation: OperationName, list: Listing, path: JsonPath): Iterable<Problem> {
  const { style, next, nextHeader, cap, splitBy } = list.paging;
  const used = new Set(named(list).map(({ name }) => name));
  for (const [wanted, variable] of Object.entries(STYLE_VARIABLES)) {
    if (style === wanted && !used.has(variable))
      yield { path, what: `pages by ${style} and never names {${variable}}: the first page would come for ever` };
    if (style !== wanted && used.has(variable))
      yield { path, what: `names {${variable}}, but its paging is ${style}: say "style": "${wanted}"` };
  }
  if ((style === 'cursor' || style === 'url') && (next === undefined) === (nextHeader === undefined))
    yield { path, what: `paging by ${style} needs next, where an answer shows it, or nextHeader, and not both` };
  if (cap !== undefined && splitBy === undefined && operation !== 'find')
    yield { path, what: 'cap needs splitBy: else what lies behind it would never be seen' };
  if (splitBy !== undefined && cap === undefined) yield { path, what: 'splitBy without cap has no meaning' };
  if (cap !== undefined && splitBy === 'id' && !used.has('afterId') && operation !== 'find')
    yield { path, what: 'splitBy id needs {afterId} in the request, and a list that is sorted by id' };
  if (cap !== undefined && splitBy === 'window' && operation === 'changes' && !used.has('until'))
    yield { path, what: 'splitBy window needs {until} in the request' };
  if (cap !== undefined && splitBy === 'window' && operation === 'list')
    yield { path, what: 'list knows no window: say "paging": {"cap": …} under changes alone, or split by id' };
}

function* conditionProblems(profile: Profile, type: TypeProfile): Iterable<Problem> {
  const { condition } = type;
  if (typeof condition !== 'object') return;
  const path =
    profile.types[type.name]?.condition === undefined ? ['condition', 'value'] : ['types', type.name, 'condition', 'value'];
  const known = ['etag', 'version', 'stamp', 'httpStamp'];
  const used = variablesOf(condition.value);
  if (used.length === 0)
    yield { path, what: `compares with nothing: name one of ${known.map((name) => `{${name}}`).join(', ')}` };
  for (const { name } of used)
    if (!known.includes(name)) yield { path, what: `{${name}} is no variable of a condition: ${suggest(name, known)}` };
  const carries = (request: Request | undefined): boolean => !request || named(request).some(({ name }) => name === 'condition');
  if (condition.header === undefined && !carries(type.operations.update))
    yield { path, what: 'a condition without a header needs {condition} in the path, query or body of update' };
  if (condition.header === undefined && condition.delete && !carries(type.operations.delete))
    yield { path, what: 'a condition without a header that deletions carry needs {condition} in delete' };
  if (used.some(({ name }) => name === 'version') && type.record.version === undefined)
    yield { path, what: '{version} needs record.version' };
}
