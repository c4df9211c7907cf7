/**
 * A client of the HTTP interface as a stranger writes it: types made from the description by openapi-typescript, calls by
 * openapi-fetch. A name that the description lacks does not compile.
 * @typedef {import('SCHEMA').paths} paths
 */
import createClient from 'openapi-fetch';

/** @param {{ baseUrl: string, token: string }} where */
export function strangersClient({ baseUrl, token }) {
  const headers = { Authorization: `Bearer ${token}` };
  /** @type {import('openapi-fetch').Client<paths>} */
  const client = createClient({ baseUrl, headers });

  /** @template T @param {{ data?: T, error?: { detail: string, status: number } }} answer */
  const dataOf = ({ data, error }) => {
    if (data === undefined) throw new Error(`${error?.status}: ${error?.detail}`);
    return data;
  };

  return {
    /** @param {string} flow */
    async links(flow) {
      const found = [];
      for (let cursor = /** @type {string | undefined} */ (undefined); ;) {
        const query = { flow, limit: 3, ...(cursor === undefined ? {} : { cursor }) };
        const page = dataOf(await client.GET('/v1/links', { params: { query } }));
        found.push(...page.items.map(({ sourceId, status }) => ({ sourceId, status })));
        if (page.next === null) return found;
        cursor = page.next;
      }
    },
    /** @param {string} flow @param {string} sourceId @param {string} key */
    sync: async (flow, sourceId, key) =>
      dataOf(
        await client.POST('/v1/links/{flow}/{sourceId}/sync', {
          params: { path: { flow, sourceId }, query: { wait: '20s' }, header: { 'Idempotency-Key': key } },
        }),
      ).status,
    /** @param {'pause' | 'resume'} action @param {string} flow @param {string} sourceId */
    hold: async (action, flow, sourceId) =>
      dataOf(
        action === 'pause'
          ? await client.POST('/v1/links/{flow}/{sourceId}/pause', { params: { path: { flow, sourceId } } })
          : await client.POST('/v1/links/{flow}/{sourceId}/resume', { params: { path: { flow, sourceId } } }),
      ).done,
    /** @param {string} flow */
    conflicts: async (flow) => dataOf(await client.GET('/v1/conflicts', { params: { query: { flow } } })).items,
    /** @param {string} flow @param {string} sourceId @param {string} property */
    resolve: async (flow, sourceId, property) =>
      dataOf(
        await client.POST('/v1/links/{flow}/{sourceId}/resolve', {
          params: { path: { flow, sourceId } },
          body: { property, choice: 'source' },
        }),
      ).done,
    /** @param {number | undefined} after */
    async changes(after) {
      const query = after === undefined ? {} : { after };
      const page = dataOf(await client.GET('/v1/changes', { params: { query } }));
      // As server-sent events it would be text.
      if (typeof page === 'string') throw new Error('events were not asked for');
      const { items, next } = page;
      return { seqs: items.map(({ seq }) => seq), values: items.map((each) => each.after), next };
    },
    /** @param {string} flow @param {string} sourceId */
    async missing(flow, sourceId) {
      const { error } = await client.GET('/v1/links/{flow}/{sourceId}', { params: { path: { flow, sourceId } } });
      return error?.nearest;
    },
  };
}
