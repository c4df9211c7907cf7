// An adapter for a CRM that no profile can describe: CRM_PROFILE=./examples/crm-adapter.mjs.
// This one speaks to the CRM of the default profile, so that it can be tried on the local stack.

const PATHS = { Contact: '/contacts', Company: '/companies' };
const FAILURES = { 401: 'unauthorized', 404: 'gone', 409: 'taken', 412: 'contended', 429: 'throttled' };

/** Instants become keys that sort as text: seconds, nine decimals, then the count of changes. */
const versionOf = ({ updatedAt, version }) => {
  const ms = Date.parse(updatedAt);
  const seconds = String(Math.floor(ms / 1000)).padStart(12, '0');
  return `${seconds}.${String(ms % 1000).padStart(3, '0')}000000/${String(version).padStart(12, '0')}`;
};

// Longer than most: a connector is one object, and each of its methods is a function of its own.
function connect({ url, env, SystemError, SystemClock }) {
  const clock = new SystemClock();

  async function send(method, path, { body, headers = {}, signal } = {}) {
    let answer;
    try {
      answer = await fetch(url + path, {
        method,
        signal,
        headers: {
          authorization: `Bearer ${env.CRM_TOKEN}`,
          ...(body ? { 'content-type': method === 'PATCH' ? 'application/merge-patch+json' : 'application/json' } : {}),
          ...headers,
        },
        ...(body ? { body: JSON.stringify(body) } : {}),
      });
    } catch (error) {
      throw new SystemError('CRM', 'unreachable', String(error));
    }
    const text = await answer.text();
    const { status } = answer;
    if (!answer.ok)
      throw new SystemError('CRM', FAILURES[status] ?? (status >= 500 ? 'unreachable' : 'refused'), text, { status });
    clock.date(answer.headers.get('date'), Date.now(), Date.now());
    return text === '' ? undefined : JSON.parse(text);
  }

  const snapshot = (record, fields) => ({
    id: record.id,
    version: versionOf(record),
    instant: record.updatedAt,
    etag: `"${record.version}"`,
    ...(record.externalId ? { externalId: record.externalId } : {}),
    ...(record.createdAt === record.updatedAt ? { untouched: true } : {}),
    fields: Object.fromEntries(fields.map((name) => [name, record[name] ?? null])),
    at: clock.correct(Date.parse(record.updatedAt)),
  });

  async function* pages(type, query, signal) {
    for (let cursor = ''; cursor !== null;) {
      const found = new URLSearchParams({ limit: '200', ...query, ...(cursor ? { cursor } : {}) });
      const page = await send('GET', `${PATHS[type]}?${found}`, { signal });
      yield page.items;
      cursor = page.nextCursor;
    }
  }

  return {
    name: 'crm',
    title: 'CRM',
    catalogue,
    clock,
    lagMs: 500,
    features: () => ({ conditional: 'etag', externalId: true, idempotencyKey: true }),
    check: async (signal) => {
      await send('GET', '/contacts?limit=1', { signal });
      return { identity: url };
    },
    async *changed({ type, fields, since }, { signal }) {
      for await (const items of pages(type, since === null ? {} : { updatedSince: since }, signal))
        yield { records: items.map((item) => snapshot(item, fields)), after: items.at(-1)?.updatedAt ?? null };
    },
    async *ids({ type }, { signal }) {
      for await (const items of pages(type, {}, signal)) yield { ids: items.map(({ id }) => id) };
    },
    read: async ({ type, id, fields }, { signal }) =>
      snapshot(await send('GET', `${PATHS[type]}/${encodeURIComponent(id)}`, { signal }), fields),
    create: async ({ type, values, fields, identity }, { signal }) => {
      const body = { ...values, externalId: identity.externalId };
      return snapshot(
        await send('POST', PATHS[type], { body, headers: { 'idempotency-key': identity.idempotencyKey }, signal }),
        fields,
      );
    },
    update: async ({ type, id, set, condition, fields }, { signal }) => {
      const headers = { 'if-match': condition.etag ?? '"none"' };
      return snapshot(await send('PATCH', `${PATHS[type]}/${encodeURIComponent(id)}`, { body: set, headers, signal }), fields);
    },
    remove: async (type, id, { signal }) => void (await send('DELETE', `${PATHS[type]}/${encodeURIComponent(id)}`, { signal })),
    find: async ({ type, by, fields }, { signal }) => {
      const found = [];
      for await (const items of pages(type, { externalId: by.externalId }, signal)) found.push(...items);
      return found.map((item) => snapshot(item, fields));
    },
  };
}

const field = (name) => ({ name, type: 'string', writable: true });
const catalogue = {
  system: 'crm',
  types: [
    { name: 'Contact', path: '/contacts', idFields: ['id'], fields: ['givenName', 'familyName', 'email'].map(field) },
    { name: 'Company', path: '/companies', idFields: ['id'], fields: [field('name')] },
  ],
};

export default {
  name: 'example adapter',
  catalogue,
  missing: (env) => (env.CRM_TOKEN ? [] : ['CRM_TOKEN is missing: the bearer token of the CRM']),
  connect,
};
