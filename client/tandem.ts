import { WithStartWorkflowOperation, WorkflowUpdateRPCTimeoutOrCancelledError } from '@temporalio/client';
import { linkStart, steerLink, type Home } from '../activities/messenger.ts';
import { rulesOf } from '../activities/observation.ts';
import { convert, convertBack } from '../flows/convert.ts';
import type { Side } from '../flows/side.ts';
import type { Refused } from '../flows/dataflow/bind.ts';
import { feedsOf, SYSTEMS, type Flow, type Pair } from '../flows/flow.ts';
import { historyKeyNamed, linkKey, MESSAGES, WORKFLOWS } from '../flows/names.ts';
import { suggest, nearest } from '../flows/validate.ts';
import { TandemError } from '../flows/tandemError.ts';
import type { Value } from '../flows/values.ts';
import type { LinkDocument } from '../store/documents.ts';
import type { Store } from '../store/store.ts';
import type { Health } from '../worker/health.ts';
import type { LinkRecord } from '../workflows/contract.ts';
import type { Message } from '../workflows/core/receive.ts';
import type { LinkState } from '../workflows/core/state.ts';
import { newRecord } from '../workflows/linkRecord.ts';
import type { link as linkWorkflow } from '../workflows/link.ts';
import { approveHeld, withdrawHeld, type Brake } from './brake.ts';
import { NotFound, NotPossible, TimedOut } from './errors.ts';
import { followChanges, readChanges } from './follow.ts';
import { plainChange, plainDetails, plainLink } from './toModel.ts';
import { rebuild } from './rebuild.ts';
import { setPaused } from './pause.ts';
import { remembered } from './remembered.ts';
import { removeFlow, removeInstallation } from './remove.ts';
import { renewLinks } from './renew.ts';
import { STATUSES } from '../workflows/core/state.ts';
import { tendingTroubles } from '../worker/unserved.ts';
import { statusReport } from './status.ts';
import type { Tandem } from './types.ts';
import { viewsOf, type Ui } from './views.ts';

const WAIT_MS = 60_000;
/** A Temporal that has not taken a request by then does not answer (ms). */
const ANSWER_MS = 5000;
/** Whether somebody carries the links on is asked of Temporal once in so long (ms): it takes two dozen calls. */
const TENDING_MS = 5000;

/** What the library works with. */
export interface TandemDeps {
  readonly home: Home;
  readonly flows: readonly Flow[];
  readonly refused: readonly Refused[];
  readonly store: Store;
  readonly servers: Health;
  readonly namespace: string;
  /** Where the Temporal Web UI is. */
  readonly ui: Ui;
  readonly close: () => Promise<void>;
}

type Request = Exclude<Message, { kind: 'observed' | 'vanished' }>;

/** The library over an open store and a Temporal client. */
// oxlint-disable-next-line max-lines-per-function -- the library as one object: each of its methods is a function of its own
export function makeTandem(deps: TandemDeps): Tandem {
  const { flows, store, home } = deps;
  const { client, installation } = home;

  function flowOf(name: string): Flow {
    const names = flows.map((each) => each.name);
    const flow = flows.find((each) => each.name === name);
    if (!flow) throw new NotFound('flow', `there is no flow "${name}"; ${suggest(name, names)}`, nearest(name, names));
    return flow;
  }

  async function noLink(flow: string, sourceId: string): Promise<NotFound> {
    const near = nearest(sourceId, await store.pages.idsNear(flow, sourceId));
    const next = near === null ? `\`tandem links --flow ${flow}\` lists what there is` : `did you mean ${near}?`;
    return new NotFound('link', `flow ${flow} has no link for source ${sourceId}; ${next}`, near);
  }

  async function linkOf(flow: string, sourceId: string): Promise<LinkDocument> {
    flowOf(flow);
    const link = await store.links.byKey(linkKey(flow, sourceId));
    if (!link) throw await noLink(flow, sourceId);
    return link;
  }

  async function ask(flow: string, sourceId: string, message: Request): Promise<void> {
    flowOf(flow);
    if (await client.withDeadline(Date.now() + ANSWER_MS, () => steerLink(home, { flow, sourceId }, message))) return;
    const closed = await store.links.byKey(linkKey(flow, sourceId));
    if (!closed) throw await noLink(flow, sourceId);
    throw new NotPossible(closed, {
      what: `the link of ${flow} ${sourceId} is closed${closed.ended === null ? '' : `: ${closed.ended}`}`,
      next:
        closed.final === true
          ? 'Tandem deleted its records, which is final'
          : '`sync` looks whether its record is there after all',
    });
  }

  function pairOf(flow: string, property: string): Pair {
    const { properties } = flowOf(flow);
    const name = property.toLowerCase();
    const pair =
      properties.find((each) => each.source.toLowerCase() === name) ??
      properties.find((each) => each.target.toLowerCase() === name);
    if (pair) return pair;
    const names = properties.flatMap((each) => [each.source, each.target]);
    throw new NotFound(
      'property',
      `flow ${flow} has no property "${property}"; ${suggest(property, names)}`,
      nearest(property, names),
    );
  }

  interface Settled {
    readonly flow: string;
    readonly sourceId: string;
    readonly pair: Pair;
    readonly value: Value;
    /** Whose value it is: it is carried to the other side as an edit would be. */
    readonly of: Side;
    readonly why: string;
  }

  /** One value for both sides, written as an ordinary edit would be. */
  async function settle({ flow, sourceId, pair, value, of, why }: Settled): Promise<void> {
    const now = (await store.links.byKey(linkKey(flow, sourceId)))?.seen.source?.values[pair.source] ?? null;
    const both =
      of === 'source'
        ? { source: value, target: convert(value, pair.type) }
        : { source: convertBack(pair, { source: now, target: value }), target: value };
    await ask(flow, sourceId, { kind: 'settle', property: pair.source, ...both, why });
  }

  async function pauseNamed(name: string, paused: boolean): Promise<void> {
    const known = [...flows.map((flow) => flow.name), ...SYSTEMS];
    const found = known.find((each) => each.toLowerCase() === name.toLowerCase());
    if (found === undefined)
      throw new NotFound('system', `there is no flow or system "${name}"; ${suggest(name, known)}`, nearest(name, known));
    await setPaused({ store, flows, steer: ask }, found, paused);
  }

  const brake: Brake = { store, steer: ask };
  const tending = remembered(TENDING_MS, () => tendingTroubles(client, installation));

  return {
    flows,
    namespace: deps.namespace,
    installation: installation.name,
    close: deps.close,

    async sync(flowName, sourceId, { wait = false, timeoutMs = WAIT_MS, requestId, orAsked = false } = {}) {
      const flow = flowOf(flowName);
      const known = await store.links.byKey(linkKey(flowName, sourceId));
      if (known?.final === true) return { flow: flowName, sourceId, status: 'ended', ended: known.ended };
      const record = known ?? unseen(flow, sourceId);
      const startWorkflowOperation = new WithStartWorkflowOperation(WORKFLOWS.link, {
        ...linkStart(home, flow, record),
        workflowIdConflictPolicy: 'USE_EXISTING',
      });
      const request = requestId === undefined ? {} : { requestId };
      let accepted = false;
      try {
        const done = await client.withDeadline(Date.now() + timeoutMs, async () => {
          const update = await client.workflow.startUpdateWithStart<
            typeof linkWorkflow,
            Pick<LinkState, 'status' | 'ended'>,
            [{ wait: boolean; requestId?: string }]
          >(MESSAGES.sync, {
            startWorkflowOperation,
            args: [{ wait, ...request }],
            waitForStage: 'ACCEPTED',
            ...(requestId === undefined ? {} : { updateId: `sync:${requestId}` }),
          });
          accepted = true;
          return update.result();
        });
        if (!known && done.ended !== 'source gone') await noteNew(flow, sourceId);
        if (done.ended === 'source gone' && !known?.seen.source)
          throw new NotFound(
            'record',
            `${flow.source.system} has no ${flow.source.type} ${sourceId}; \`tandem links --flow ${flowName}\` lists what there is`,
          );
        return { flow: flowName, sourceId, status: wait ? done.status : 'asked', ended: wait ? done.ended : null };
      } catch (error) {
        if (!(error instanceof WorkflowUpdateRPCTimeoutOrCancelledError)) throw error;
        // Temporal keeps an update only once a worker took it, but a signal from the start.
        if (!accepted) await ask(flowName, sourceId, { kind: 'sync', ...request });
        if (!orAsked) throw new TimedOut({ flow: flowName, sourceId }, timeoutMs);
        return { flow: flowName, sourceId, status: 'asked', ended: null };
      }
    },

    async syncAll(flow) {
      const feeds = feedsOf(flow === undefined ? flows : [flowOf(flow)]);
      for (const feed of feeds) await store.cursors.ask(feed, { sweepAsked: Date.now() });
      return feeds;
    },

    status: () =>
      statusReport(store, {
        ...deps,
        installation: installation.name,
        views: viewsOf(deps.ui, { queue: installation.queue, flows: flows.map(({ name }) => name) }),
        tending,
      }),

    async links({ flow, status, limit = 50, cursor } = {}) {
      if (flow !== undefined) flowOf(flow);
      const named =
        flow === undefined
          ? [...flows.map(({ name }) => name), ...(await store.census.counts()).map((each) => each.flow)]
          : [flow];
      const found = await store.pages.read({ flows: named, status }, { limit: limit + 1, after: cursor });
      const page = found.slice(0, limit);
      return { items: page.map(plainLink), next: found.length > limit ? (page.at(-1)?._id ?? null) : null };
    },

    async getLink(flow, sourceId, { history = 20 } = {}) {
      const link = await linkOf(flow, sourceId);
      const changes = history === 0 ? [] : await store.history.ofLink(link._id, { limit: history });
      return plainDetails({ flow: flowOf(flow), installation, link, changes });
    },

    async history(flow, sourceId, { limit = 50, cursor } = {}) {
      const link = await linkOf(flow, sourceId);
      const from = Number(cursor ?? 0);
      if (!Number.isSafeInteger(from) || from < 0)
        throw new TandemError(`"${cursor}" is no cursor of this list; take the "next" of a page`);
      const found = await store.history.ofLink(link._id, { limit: from + limit + 1 });
      const page = found.slice(from, from + limit);
      return {
        items: page.map((change) => plainChange(sourceId, change)),
        next: found.length > from + limit ? String(from + limit) : null,
      };
    },

    pause: (name, sourceId) => (sourceId === undefined ? pauseNamed(name, true) : ask(name, sourceId, { kind: 'pause' })),
    resume: (name, sourceId) => (sourceId === undefined ? pauseNamed(name, false) : ask(name, sourceId, { kind: 'resume' })),
    tryAgain: (flow, sourceId) => ask(flow, sourceId, { kind: 'retry' }),
    unlink: (flow, sourceId) => ask(flow, sourceId, { kind: 'unlink' }),
    relink: (flow, sourceId) => ask(flow, sourceId, { kind: 'relink' }),

    async link(flow, sourceId, targetId) {
      const link = await linkOf(flow, sourceId);
      const { target } = flowOf(flow);
      if (link.targetId !== null)
        throw new NotPossible(link, `${flow} ${sourceId} is linked with ${target.type} ${link.targetId} already`);
      const taken = (await store.links.byTarget(target, [targetId])).get(targetId);
      if (taken) throw new NotPossible(link, `${target.type} ${targetId} is linked with ${taken.flow} ${taken.sourceId} already`);
      await ask(flow, sourceId, { kind: 'link', id: targetId });
    },

    async conflicts(flow) {
      if (flow !== undefined) flowOf(flow);
      const links = await store.links.list({ status: 'conflict', flow });
      return links.flatMap((link) =>
        link.conflicts.map((property) => {
          const pair = flowOf(link.flow).properties.find((each) => each.source === property);
          return {
            flow: link.flow,
            sourceId: link.sourceId,
            property,
            source: link.seen.source?.values[property] ?? null,
            target: link.seen.target?.values[pair?.target ?? ''] ?? null,
          };
        }),
      );
    },

    async resolve(flow, sourceId, { property, choice }) {
      const pair = pairOf(flow, property);
      const link = await linkOf(flow, sourceId);
      const value =
        choice === 'source'
          ? link.seen.source?.values[pair.source]
          : choice === 'target'
            ? link.seen.target?.values[pair.target]
            : choice.value;
      await settle({
        flow,
        sourceId,
        pair,
        value: value ?? null,
        of: choice === 'target' ? 'target' : 'source',
        why: 'decided by hand',
      });
    },

    async restore(flow, sourceId, changeId) {
      await linkOf(flow, sourceId);
      const change = await store.history.byKey(historyKeyNamed(linkKey(flow, sourceId), changeId));
      if (!change)
        throw new NotFound(
          'change',
          `the history of ${flow} ${sourceId} has no ${changeId}; \`tandem show ${flow} ${sourceId}\` lists the ids`,
        );
      await settle({
        flow,
        sourceId,
        pair: pairOf(flow, change.property),
        value: change.before,
        of: change.side,
        why: `restored ${changeId}`,
      });
    },

    async retry({ flow, reason } = {}) {
      if (flow !== undefined) flowOf(flow);
      const blocked = await store.links.list({ status: 'blocked', flow });
      const chosen = blocked.filter(
        (link) => reason === undefined || `${link.block?.code} ${link.block?.text}`.toLowerCase().includes(reason.toLowerCase()),
      );
      for (const link of chosen) await ask(link.flow, link.sourceId, { kind: 'retry' });
      return chosen.length;
    },

    approve: async (flow) => approveHeld(brake, flowOf(flow)),
    withdraw: async (flow) => withdrawHeld(brake, flowOf(flow)),

    readChanges: (from) => readChanges(store, from),
    changes: (from) => followChanges(store, from),
    async replay({ each = 5, onProgress } = {}) {
      // It alone needs Temporal's worker, which no service that calls Tandem should have to load.
      const { replayRunning } = await import('../worker/replay.ts');
      return replayRunning(home, { statuses: STATUSES, each, onProgress });
    },
    async renew(options = {}) {
      if (options.flow !== undefined) flowOf(options.flow);
      return renewLinks(home, options);
    },
    rebuild: (onProgress) => rebuild({ home, store, flows }, onProgress),
    removeFlow: (name, options) => removeFlow({ home, store, flows }, name, options),
    removeInstallation: (options) => removeInstallation({ home, store, flows }, options),
  };

  /** A link that a caller began is in the store like one that a feed began. */
  async function noteNew(flow: Flow, sourceId: string): Promise<void> {
    await store.links.discover([unseen(flow, sourceId)], flow);
  }
}

/** A link that nothing is known of but its source's id. */
const unseen = (flow: Flow, sourceId: string): LinkRecord =>
  newRecord({ flow: flow.name, rules: rulesOf(flow), sourceId, seen: null, now: Date.now() });
