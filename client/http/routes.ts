import { z } from 'zod';
import {
  changeEventSchema,
  changeSchema,
  conflictSchema,
  heldChangesSchema,
  linkDetailsSchema,
  linkSchema,
  pageOf,
  removedFlowSchema,
  statusReportSchema,
  statusSchema,
  syncResultSchema,
  valueSchema,
} from '../model.ts';
import { route, type Route } from './route.ts';

const SECONDS = /^(\d{1,3})s$/;
const ONE_PAGE = 500;

const flowParam = z.string().min(1).max(80).describe('The flow’s name.');
const ofFlow = z.strictObject({ flow: flowParam });
const ofLink = z.strictObject({
  flow: flowParam,
  sourceId: z.string().min(1).max(200).describe('The source record’s id; a slash in it is written as %2F.'),
});
/** A whole number as a query has it: plain digits. */
const digits = (least: number, most = Number.MAX_SAFE_INTEGER): z.ZodType<number> =>
  z.preprocess(
    (text) => (typeof text === 'string' && /^\d{1,16}$/.test(text) ? Number(text) : text),
    z.int({ error: 'a whole number' }).min(least).max(most),
  );
const limit = digits(1, ONE_PAGE).default(50).describe('At most so many.');
const cursor = z.string().max(500).optional().describe('The `next` of the page before.');
const done = z
  .object({ done: z.literal(true) })
  .meta({ id: 'Done', description: 'The request was accepted and takes its course.' });
const DONE = { done: true } as const;
const asked = z.object({ asked: z.int() }).meta({ id: 'Asked', description: 'How many links were asked.' });

/** The links and what can be asked of one. */
const links: readonly Route[] = [
  route({
    method: 'get',
    path: '/v1/links',
    tag: 'links',
    operationId: 'listLinks',
    summary: 'Lists links, by flow and source id',
    right: 'read',
    query: z.strictObject({ flow: flowParam.optional(), status: statusSchema.optional(), limit, cursor }),
    answer: pageOf(linkSchema, 'LinkPage'),
    refusals: [404],
    handle: ({ tandem, query }) => tandem.links(query),
  }),
  route({
    method: 'get',
    path: '/v1/links/{flow}/{sourceId}',
    tag: 'links',
    operationId: 'getLink',
    summary: 'Shows one link, both records as last seen, and its latest changes',
    right: 'read',
    params: ofLink,
    query: z.strictObject({ history: digits(0, ONE_PAGE).default(20).describe('So many changes.') }),
    answer: linkDetailsSchema,
    refusals: [404],
    handle: ({ tandem, params, query }) => tandem.getLink(params.flow, params.sourceId, query),
  }),
  route({
    method: 'get',
    path: '/v1/links/{flow}/{sourceId}/history',
    tag: 'links',
    operationId: 'listHistory',
    summary: 'Lists the changes that Tandem made to a pair, newest first',
    right: 'read',
    params: ofLink,
    query: z.strictObject({
      limit,
      cursor: cursor
        .unwrap()
        .regex(/^\d{1,9}$/, 'the `next` of a page')
        .optional(),
    }),
    answer: pageOf(changeSchema, 'ChangePage'),
    refusals: [404],
    handle: ({ tandem, params, query }) => tandem.history(params.flow, params.sourceId, query),
  }),
  route({
    method: 'post',
    path: '/v1/links/{flow}/{sourceId}/sync',
    tag: 'links',
    operationId: 'syncLink',
    summary: 'Reads both records now and brings them into step',
    description:
      'A source record that has no link yet is read and linked. With `wait` the answer comes when both sides agree, ' +
      'the link is blocked, or the time is over (then `asked`; it goes on by itself).',
    right: 'steer',
    params: ofLink,
    query: z.strictObject({
      wait: z.string().regex(SECONDS, 'seconds, such as 10s').optional().describe('How long to wait, such as 10s; at most 60s.'),
    }),
    answer: syncResultSchema,
    refusals: [404],
    handle: ({ tandem, params, query, requestKey }) => {
      const seconds = Math.min(60, Number(SECONDS.exec(query.wait ?? '')?.[1] ?? 0));
      return tandem.sync(params.flow, params.sourceId, {
        wait: seconds > 0,
        timeoutMs: Math.max(1, seconds) * 1000,
        orAsked: true,
        ...(requestKey === null ? {} : { requestId: requestKey }),
      });
    },
  }),
  ...(
    [
      ['pause', 'Holds a pair back; edits made meanwhile arrive after it is resumed'],
      ['resume', 'Lets a paused pair go on'],
      ['retry', 'Tries a blocked pair again'],
      ['unlink', 'Ends a link by hand; neither record is touched'],
      ['relink', 'Resumes a link that was ended by hand, or links a record anew whose target is gone'],
    ] as const
  ).map(([action, summary]) =>
    route({
      method: 'post',
      path: `/v1/links/{flow}/{sourceId}/${action}`,
      tag: 'links',
      operationId: `${action}Link`,
      summary,
      right: 'steer',
      params: ofLink,
      answer: done,
      refusals: [404],
      handle: async ({ tandem, params }) => {
        await tandem[action === 'retry' ? 'tryAgain' : action](params.flow, params.sourceId);
        return DONE;
      },
    }),
  ),
  route({
    method: 'post',
    path: '/v1/links/{flow}/{sourceId}/link',
    tag: 'links',
    operationId: 'linkWith',
    summary: 'Says which target record belongs to a source record that has none',
    right: 'steer',
    params: ofLink,
    body: z.strictObject({ targetId: z.string().min(1).max(200) }),
    answer: done,
    refusals: [404],
    handle: async ({ tandem, params, body }) => {
      await tandem.link(params.flow, params.sourceId, body.targetId);
      return DONE;
    },
  }),
  route({
    method: 'post',
    path: '/v1/links/{flow}/{sourceId}/resolve',
    tag: 'links',
    operationId: 'resolveConflict',
    summary: 'Decides a property: the source’s value, the target’s, or another one, for both sides',
    right: 'steer',
    params: ofLink,
    body: z.discriminatedUnion('choice', [
      z.strictObject({ property: z.string().min(1).max(200), choice: z.enum(['source', 'target']) }),
      z.strictObject({ property: z.string().min(1).max(200), choice: z.literal('value'), value: valueSchema }),
    ]),
    answer: done,
    refusals: [404],
    handle: async ({ tandem, params, body }) => {
      const choice = body.choice === 'value' ? { value: body.value } : body.choice;
      await tandem.resolve(params.flow, params.sourceId, { property: body.property, choice });
      return DONE;
    },
  }),
  route({
    method: 'post',
    path: '/v1/links/{flow}/{sourceId}/restore',
    tag: 'links',
    operationId: 'restoreValue',
    summary: 'Puts the value that a change overwrote back, on both sides',
    right: 'steer',
    params: ofLink,
    body: z.strictObject({ changeId: z.string().min(1).max(500) }),
    answer: done,
    refusals: [404],
    handle: async ({ tandem, params, body }) => {
      await tandem.restore(params.flow, params.sourceId, body.changeId);
      return DONE;
    },
  }),
];

/** What concerns many links at once. */
const many: readonly Route[] = [
  route({
    method: 'get',
    path: '/v1/status',
    tag: 'installation',
    operationId: 'getStatus',
    summary: 'Shows the whole installation: pairs by status, feeds, what is blocked by which reason',
    right: 'read',
    answer: statusReportSchema,
    refusals: [],
    handle: ({ tandem }) => tandem.status(),
  }),
  route({
    method: 'get',
    path: '/v1/conflicts',
    tag: 'links',
    operationId: 'listConflicts',
    summary: 'Lists properties on which both sides were edited and a person has to decide',
    right: 'read',
    query: z.strictObject({ flow: flowParam.optional() }),
    answer: z.object({ items: z.array(conflictSchema) }).meta({ id: 'Conflicts', description: 'Conflicts that wait.' }),
    refusals: [404],
    handle: async ({ tandem, query }) => ({ items: [...(await tandem.conflicts(query.flow))] }),
  }),
  route({
    method: 'post',
    path: '/v1/retry',
    tag: 'installation',
    operationId: 'retryBlocked',
    summary: 'Tries blocked links again',
    right: 'steer',
    body: z.strictObject({
      flow: flowParam.optional(),
      reason: z.string().min(1).max(500).optional().describe('Looked for in the code and in the system’s text.'),
    }),
    answer: asked,
    refusals: [404],
    handle: async ({ tandem, body }) => ({ asked: await tandem.retry(body) }),
  }),
  route({
    method: 'post',
    path: '/v1/compare',
    tag: 'installation',
    operationId: 'compareAll',
    summary: 'Compares everything with everything, of one flow or of all, as soon as the watchers get to it',
    right: 'steer',
    body: z.strictObject({ flow: flowParam.optional() }),
    answer: z.object({ feeds: z.array(z.string()) }).meta({ id: 'Feeds', description: 'Feeds that were asked.' }),
    refusals: [404],
    handle: async ({ tandem, body }) => ({ feeds: [...(await tandem.syncAll(body.flow))] }),
  }),
  ...(['pause', 'resume'] as const).map((action) =>
    route({
      method: 'post',
      path: `/v1/flows/{flow}/${action}`,
      tag: 'installation',
      operationId: `${action}Flow`,
      summary: `${action === 'pause' ? 'Holds back' : 'Lets go on'} a flow, or all of a system (powerOffice, crm)`,
      right: 'admin',
      params: ofFlow,
      answer: done,
      refusals: [404],
      handle: async ({ tandem, params }) => {
        await tandem[action](params.flow);
        return DONE;
      },
    }),
  ),
  ...(
    [
      ['approve', 'Lets through what was held back because very many records would go the same way'],
      ['withdraw', 'Gives up what was held back; its links look again'],
    ] as const
  ).map(([action, summary]) =>
    route({
      method: 'post',
      path: `/v1/flows/{flow}/${action}`,
      tag: 'installation',
      operationId: `${action}Flow`,
      summary,
      right: 'admin',
      params: ofFlow,
      answer: heldChangesSchema,
      refusals: [404],
      handle: ({ tandem, params }) => tandem[action](params.flow),
    }),
  ),
  route({
    method: 'post',
    path: '/v1/flows/{flow}/remove',
    tag: 'installation',
    operationId: 'removeFlow',
    summary: 'Takes away a flow that is no longer configured: closes its workflows, touches no system',
    description: 'Refused while the flow is configured, or a worker runs it. `status` shows such a flow as left over until then.',
    right: 'admin',
    params: ofFlow,
    body: z.strictObject({ data: z.enum(['keep', 'delete']).describe('What becomes of its links and their history.') }),
    answer: removedFlowSchema,
    refusals: [404],
    handle: ({ tandem, params, body }) => tandem.removeFlow(params.flow, body),
  }),
  route({
    method: 'get',
    path: '/v1/changes',
    tag: 'changes',
    operationId: 'listChanges',
    summary: 'Follows what happened to all links, in the order in which it was committed',
    description:
      'Each event has a number that grows by one and an id that stays the same should it come twice. ' +
      'With `Accept: text/event-stream` the answer stays open and `Last-Event-ID` goes on where a stream broke.',
    right: 'read',
    query: z.strictObject({
      after: digits(0).optional().describe('Events after this number; from now on where left out.'),
      limit,
    }),
    answer: z
      .object({ items: z.array(changeEventSchema), next: z.int().describe('Goes into `after` for the events that follow.') })
      .meta({ id: 'ChangeEvents', description: 'Events, oldest first.' }),
    refusals: [410],
    stream: true,
    handle: async ({ tandem, query }) => {
      const { events, next } = await tandem.readChanges(query);
      return { items: [...events], next };
    },
  }),
];

/** Every route of the interface: the server, its description and the readable page are made from this table. */
export const ROUTES: readonly Route[] = [...many, ...links];
