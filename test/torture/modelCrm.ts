import { instantKey } from '../../flows/instant.ts';
import { isNoValue, type Value } from '../../flows/values.ts';
import type { Connector } from '../../connectors/connector.ts';
import { crm } from '../../connectors/crm/connector.ts';
import { profileSchema, type Profile } from '../../connectors/crm/profile/schema.ts';
import { judgeBy, type Sending } from '../../connectors/crm/transport.ts';
import { answeredBody } from '../../connectors/http.ts';
import { SystemError } from '../../connectors/systemError.ts';
import type { Breaks } from './breaks.ts';
import type { SystemMemory } from './modelConnector.ts';
import { iso, type Lies, type ModelRecord, type Nature } from './modelRecord.ts';
import type { ModelSystem } from './modelSystem.ts';

const FIELDS = ['givenName', 'familyName', 'role', 'code', 'note'];
const NONE: Lies = { answer: 'whole', forgets: 0, leavesOut: 0, leavesOutEmpty: false, unreadable: 0, oddErrors: false };

/** What a customer would write of such a CRM. */
function profileOf(nature: Nature, breaks: Breaks): Profile {
  const lies = nature.lies ?? NONE;
  const type = (path: string): object => ({ path, fields: FIELDS.map((name) => ({ name })) });
  const rules = [
    { operations: ['update'], status: 400, at: 'code', equals: 'STALE', is: 'contended' },
    { status: 400, at: 'code', equals: 'GONE', is: 'gone' },
    { status: 200, at: 'error', is: 'refused' },
    { status: 500, at: 'code', equals: 'INVALID', is: 'refused' },
  ];
  return profileSchema.parse({
    version: 2,
    name: 'model',
    types: { Contact: type('/contacts'), Company: type('/companies'), Deal: type('/deals') },
    record: {
      ...(nature.conditional === 'etag' ? { version: 'version' } : {}),
      ...(nature.externalId ? { externalId: 'externalId', uniqueExternalId: nature.uniqueExternalId } : {}),
      absent: lies.leavesOutEmpty || breaks.has('left-out-is-empty') ? 'noValue' : 'error',
    },
    stamps: { inclusive: true, sorted: 'yes', lagMs: nature.lagMs + 200 },
    paging: { style: 'cursor', size: 3, next: 'next' },
    condition: nature.conditional === 'etag' ? { header: 'If-Match', value: '"{version}"' } : 'none',
    errors: lies.oddErrors && !breaks.has('errors-by-status') ? rules : [],
    operations: {
      list: { path: '{path}', query: { cursor: '{cursor}' }, items: 'items' },
      changes: { query: { since: '{since}' } },
      ...(nature.externalId ? { find: { query: { externalId: '{externalId}' } } } : {}),
      read: { path: '{path}/{id}' },
      create: { path: '{path}', answer: lies.answer, ...(nature.idempotencyKey ? { headers: { key: '{idempotencyKey}' } } : {}) },
      update: { path: '{path}/{id}', answer: lies.answer },
      delete: { path: '{path}/{id}' },
    },
  });
}

const valuesKey = (values: Readonly<Record<string, Value>>): string =>
  JSON.stringify(
    Object.keys(values)
      .sort()
      .map((name) => [name, values[name]]),
  );

interface Answered {
  readonly status: number;
  readonly body?: unknown;
}

/** The product's own connector by a profile, over a line on which a model system answers, and lies. */
export function lyingConnector({
  system,
  memory,
  breaks,
  now,
}: {
  readonly system: ModelSystem;
  readonly memory: SystemMemory;
  readonly breaks: Breaks;
  readonly now: () => number;
}): Connector {
  const { nature, random } = system;
  const lies = nature.lies ?? NONE;
  const profile = profileOf(nature, breaks);
  const lying = (share: number): boolean => system.lying && random.chance(share);
  /** Whose record is made, where the system itself is not told: values are unique. */
  const asked = new Map<string, string>();

  function shown(row: ModelRecord, leavesOut: boolean): Record<string, Value> {
    const fields = FIELDS.filter((name) => !(lies.leavesOutEmpty && isNoValue(row.fields[name])));
    const kept = leavesOut ? fields.filter((name) => name !== (random.chance(0.3) ? 'familyName' : 'role')) : fields;
    return {
      id: row.id,
      updatedAt: iso(row.stamp),
      version: row.version,
      externalId: row.externalId,
      ...Object.fromEntries(kept.map((name) => [name, row.fields[name] ?? null])),
    };
  }

  /** A row of a list, which now and then cannot be read. */
  function listed(row: ModelRecord): unknown {
    if (lying(lies.unreadable)) return random.chance(0.5) ? { ...shown(row, false), updatedAt: null } : {};
    return shown(row, lying(lies.leavesOut));
  }

  function answered(row: ModelRecord): Answered {
    if (lies.answer === 'none') return { status: 201, body: { id: row.id } };
    return { status: 200, body: lies.answer === 'id' ? { id: row.id } : shown(row, lies.answer === 'part') };
  }

  function handle({ operation, variables, headers }: Sending): Answered {
    const text = (name: string): string => String(variables[name] ?? '');
    const type = text('type');
    switch (operation) {
      case 'list':
      case 'changes': {
        const since = variables['since'];
        const pages = system.list(type, typeof since === 'string' ? instantKey(since) : '');
        const at = Number(variables['cursor'] ?? 0);
        // One row is never to be read, and comes first.
        const broken = at === 0 && lies.unreadable > 0 ? [{ id: 'broken', updatedAt: null }] : [];
        return {
          status: 200,
          body: { items: [...broken, ...(pages[at] ?? []).map(listed)], next: at + 1 < pages.length ? String(at + 1) : null },
        };
      }
      case 'find': {
        const by = { externalId: text('externalId'), values: {}, since: 0 };
        return { status: 200, body: { items: system.found(type, by).map((row) => shown(row, false)) } };
      }
      case 'read': {
        const row = system.row(text('id'));
        const body = shown(row, lying(lies.leavesOut));
        return { status: 200, body: breaks.has('merge-followed') ? { ...body, id: text('id') } : body };
      }
      case 'create': {
        const { externalId = '', ...values } = variables['values'] as Record<string, Value>;
        const whose = asked.get(valuesKey(values)) ?? String(externalId);
        const id = { externalId: whose, idempotencyKey: text('idempotencyKey') };
        return answered(system.create(type, values, id));
      }
      case 'update': {
        const id = text('id');
        if (lying(lies.forgets)) {
          system.forgot.add(id);
          return { status: 200, body: { id } };
        }
        const row = system.update(id, variables['values'] as Record<string, Value>, {
          test: null,
          etag: headers?.['If-Match'],
          expected: {},
        });
        return answered(row);
      }
      default:
        system.remove(text('id'));
        return { status: 204 };
    }
  }

  /** A failure as this system tells it. */
  function refused(error: SystemError): Answered {
    const status = error.status ?? 500;
    const said = { message: error.text };
    if (!lies.oddErrors) return { status, body: said };
    if (error.failure === 'contended') return { status: 400, body: { code: 'STALE', ...said } };
    if (error.failure === 'gone') return { status: 400, body: { code: 'GONE', ...said } };
    if (status === 422)
      return random.chance(0.5) ? { status: 200, body: { error: said } } : { status: 500, body: { code: 'INVALID' } };
    return { status, body: said };
  }

  const connector = crm({
    url: 'http://crm.model',
    profile,
    secret: () => Promise.resolve(''),
    absentSeen: ['Contact', 'Company', 'Deal'],
    line: {
      sleep: (ms) => system.sim.sleep(ms),
      send: (clock) => async (sending, options) => {
        const write = ['create', 'update', 'delete'].includes(sending.operation);
        const sentAt = now();
        const lost = await system.way(options, write);
        let answer: Answered;
        try {
          answer = handle(sending);
        } catch (error) {
          if (!(error instanceof SystemError)) throw error;
          answer = refused(error);
        }
        await system.back(lost, options);
        clock.date(new Date(system.now()).toUTCString(), sentAt, now() + 1);
        const raw = {
          status: answer.status,
          headers: new Headers(),
          text: answer.body === undefined ? '' : JSON.stringify(answer.body),
        };
        const body = answeredBody('crm', raw, judgeBy(profile, sending.operation));
        return { status: raw.status, headers: raw.headers, body, sentAt, receivedAt: now() };
      },
    },
  });
  if (memory.clock) connector.clock.restore(memory.clock);

  return {
    ...connector,
    async *ids({ type }, options) {
      await system.way(options, false);
      yield { ids: system.ids(type) };
    },
    async *changed(request, options) {
      for await (const page of connector.changed(request, options)) {
        if (page.unreadable && breaks.has('row-stops-feed')) throw new SystemError('crm', 'malformed', 'a row has no stamp');
        yield page;
      }
    },
    async create(request, options) {
      asked.set(valuesKey(request.values), request.identity.externalId);
      if (breaks.has('id-alone-sent-again') && lies.answer !== 'whole') await connector.create(request, options);
      const made = await connector.create(request, options);
      memory.clock = connector.clock.estimate;
      return made;
    },
    async update(request, options) {
      try {
        const seen = await connector.update(request, options);
        memory.clock = connector.clock.estimate;
        return seen;
      } catch (error) {
        const believes = breaks.has('success-believed') && error instanceof SystemError && error.failure === 'unstored';
        if (!believes) throw error;
        const seen = await connector.read(request, options);
        return { ...seen, fields: { ...seen.fields, ...request.set } };
      }
    },
  };
}
