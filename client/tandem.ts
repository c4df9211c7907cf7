import { WorkflowNotFoundError, WorkflowUpdateRPCTimeoutOrCancelledError, type Client } from '@temporalio/client';
import { startLink } from '../activities/messenger.ts';
import type { Store } from '../store/store.ts';
import { convert, convertBack } from '../flows/convert.ts';
import type { Side } from '../flows/side.ts';
import type { Refused } from '../flows/dataflow/bind.ts';
import { SYSTEMS, type Flow, type Pair } from '../flows/flow.ts';
import { feedKey, historyKeyNamed, linkKey, linkWorkflowId, MESSAGES, WORKFLOWS } from '../flows/names.ts';
import { notRun } from '../worker/readFlows.ts';
import { suggest } from '../flows/validate.ts';
import type { Value } from '../flows/values.ts';
import { recordOf } from '../workflows/record.ts';
import type { Message } from '../workflows/core/receive.ts';
import type { LinkState, Status } from '../workflows/core/state.ts';
import { readStoreConfig } from '../worker/config.ts';
import { openStore } from '../worker/remotes.ts';
import { connectTemporal } from '../worker/temporal.ts';
import { readConfiguredFlows } from '../worker/worker.ts';
import { type Tandem } from './types.ts';
import { TandemError } from '../flows/tandemError.ts';

/** How long an approval holds (ms). */
const APPROVED_MS = 3600_000;

const NOT_FOUND = { kind: 'not-found' } as const;

/** Connects to Temporal and MongoDB as the environment says. Throws TandemError when either does not answer within 5 s. */
export async function connectTandem(env: NodeJS.ProcessEnv = process.env): Promise<Tandem> {
  const { flows, refused } = await readConfiguredFlows(env);
  const { MONGODB_URI } = readStoreConfig(env);
  const store = await openStore(MONGODB_URI);
  try {
    const { client, connection, namespace } = await connectTemporal();
    const close = async (): Promise<void> => {
      await connection.close();
      await store.close();
    };
    return makeTandem({ flows, refused, store, client, namespace, close });
  } catch (error) {
    await store.close();
    throw error;
  }
}

interface Parts {
  readonly flows: readonly Flow[];
  readonly refused: readonly Refused[];
  readonly store: Store;
  readonly client: Client;
  readonly namespace: string;
  readonly close: () => Promise<void>;
}

function makeTandem({ flows, refused, store, client, namespace, close }: Parts): Tandem {
  const flowOf = (name: string): Flow => {
    const flow = flows.find((each) => each.name === name);
    if (!flow)
      throw new TandemError(`there is no flow "${name}"; flows are ${flows.map((each) => each.name).join(', ')}`, NOT_FOUND);
    return flow;
  };
  const missing = (flow: string, sourceId: string): TandemError =>
    new TandemError(
      { what: `flow ${flow} has no link for source ${sourceId}`, next: `\`tandem links --flow ${flow}\` lists what there is` },
      NOT_FOUND,
    );

  async function steer(
    flow: string,
    sourceId: string,
    message: Exclude<Message, { kind: 'observed' | 'vanished' }>,
  ): Promise<void> {
    flowOf(flow);
    try {
      await client.workflow.getHandle(linkWorkflowId(flow, sourceId)).signal(MESSAGES.steer, message);
    } catch (error) {
      if (error instanceof WorkflowNotFoundError) throw missing(flow, sourceId);
      throw error;
    }
  }

  function pairOf(flow: string, property: string): Pair {
    const { properties } = flowOf(flow);
    const name = property.toLowerCase();
    const pair =
      properties.find((each) => each.source.toLowerCase() === name) ??
      properties.find((each) => each.target.toLowerCase() === name);
    if (!pair)
      throw new TandemError(
        `flow ${flow} has no property "${property}"; ${suggest(
          property,
          properties.flatMap((each) => [each.source, each.target]),
        )}`,
      );
    return pair;
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
    await steer(flow, sourceId, { kind: 'settle', property: pair.source, ...both, why });
  }

  async function setPaused(name: string, paused: boolean): Promise<void> {
    const known = [...flows.map((flow) => flow.name), ...SYSTEMS];
    const found = known.find((each) => each.toLowerCase() === name.toLowerCase());
    if (found === undefined) throw new TandemError(`there is no flow or system "${name}"; ${suggest(name, known)}`);
    await store.limits.setPaused(found, paused);
    if (paused) return;
    // Those that met the pause wait in their workflows.
    const held = flows.filter((flow) => [flow.name, flow.source.system, flow.target.system].includes(found));
    for await (const link of store.links.each({ flow: held.map((flow) => flow.name), blockCode: 'flow-paused' }))
      await steer(link.flow, link.sourceId, { kind: 'retry' });
  }

  return {
    flows,
    namespace,
    close,
    steer,

    async sync(flow, sourceId, options = {}) {
      const known = await store.links.byKey(linkKey(flow, sourceId));
      if (known?.final === true) return { flow, sourceId, status: 'ended', ended: known.ended };
      try {
        await steer(flow, sourceId, { kind: 'sync' });
      } catch (error) {
        if (!(error instanceof TandemError) || !known) throw error;
        await startLink(client, flowOf(flow), known);
        await steer(flow, sourceId, { kind: 'sync' });
      }
      if (!options.wait) return { flow, sourceId, status: 'asked', ended: null };
      const handle = client.workflow.getHandle(linkWorkflowId(flow, sourceId));
      try {
        const done = await client.withDeadline(Date.now() + (options.timeoutMs ?? 60_000), () =>
          handle.executeUpdate<{ status: Status; ended: string | null }, []>(MESSAGES.settled),
        );
        return { flow, sourceId, status: done.status, ended: done.ended };
      } catch (error) {
        if (error instanceof WorkflowUpdateRPCTimeoutOrCancelledError)
          throw new TandemError(
            {
              what: `${flow} ${sourceId} is not done after ${(options.timeoutMs ?? 60_000) / 1000} s`,
              next: `it goes on by itself, see \`tandem show ${flow} ${sourceId}\``,
            },
            { kind: 'timeout', cause: error },
          );
        throw error;
      }
    },

    async syncAll(flow) {
      const chosen = flow === undefined ? flows : [flowOf(flow)];
      const feeds = [
        ...new Set(chosen.flatMap((each) => [each.source, each.target].map(({ system, type }) => feedKey(system, type)))),
      ];
      for (const feed of feeds) await store.cursors.set(feed, { sweepAsked: Date.now() });
      return feeds;
    },

    async status() {
      const counts = await store.links.countByStatus();
      const blocked = await store.links.list({ status: 'blocked' }, { limit: 1000 });
      const cursors = await store.cursors.all();
      const systems = await store.systems.all();
      return {
        flows: flows.map(({ name }) => {
          const mine = counts.filter((each) => each.flow === name);
          const reasons = new Map<string, { count: number; example: string }>();
          for (const link of blocked.filter((each) => each.flow === name)) {
            const reason = link.block?.text || link.block?.code || 'unknown';
            reasons.set(reason, {
              count: (reasons.get(reason)?.count ?? 0) + 1,
              example: reasons.get(reason)?.example ?? link.sourceId,
            });
          }
          return {
            flow: name,
            pairs: Object.fromEntries(mine.map(({ status, count }) => [status, count])),
            lastSync: mine.map(({ last }) => last).sort((a, b) => b.getTime() - a.getTime())[0] ?? null,
            blocked: [...reasons].map(([reason, more]) => ({ reason, ...more })),
          };
        }),
        feeds: [
          ...new Set(flows.flatMap((flow) => [flow.source, flow.target].map(({ system, type }) => feedKey(system, type)))),
        ].map((feed) => {
          const cursor = cursors.find(({ _id }) => _id === feed);
          return {
            feed,
            looks: cursor?.looks ?? 0,
            lagSeconds: cursor?.lookedAt ? Math.round((Date.now() - cursor.lookedAt) / 1000) : null,
            sweptAt: cursor?.sweptAt ? new Date(cursor.sweptAt) : null,
            unstamped: cursor?.unstamped ?? null,
            trouble: cursor?.trouble?.text ?? null,
          };
        }),
        refused: notRun(refused),
        paused: await store.limits.paused(),
        systems: systems.map((each) => ({
          system: each._id,
          address: each.identity ?? null,
          clock: each.clock ?? null,
          note:
            each.test === 'missing'
              ? 'takes no JSON Patch test: a read comes before each write, and an edit within that moment can be overwritten'
              : null,
        })),
      };
    },

    links({ flow, status, limit = 50 } = {}) {
      if (flow !== undefined) flowOf(flow);
      return store.links.list({ flow, status }, { limit });
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
      const link = await store.links.byKey(linkKey(flow, sourceId));
      if (!link) throw missing(flow, sourceId);
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

    async restore(flow, sourceId, historyId) {
      const link = linkKey(flow, sourceId);
      const change = await store.history.byKey(historyKeyNamed(link, historyId));
      if (!change)
        throw new TandemError(
          `the history of ${flow} ${sourceId} has no ${historyId}; \`tandem show ${flow} ${sourceId}\` lists the ids`,
        );
      await settle({
        flow,
        sourceId,
        pair: pairOf(flow, change.property),
        value: change.before,
        of: change.side,
        why: `restored ${historyId}`,
      });
    },

    async retry({ flow, reason } = {}) {
      if (flow !== undefined) flowOf(flow);
      const blocked = await store.links.list({ status: 'blocked', flow });
      const chosen = blocked.filter(
        (link) => reason === undefined || `${link.block?.code} ${link.block?.text}`.toLowerCase().includes(reason.toLowerCase()),
      );
      for (const link of chosen) await steer(link.flow, link.sourceId, { kind: 'retry' });
      return chosen.length;
    },

    pause: (name, sourceId) => (sourceId === undefined ? setPaused(name, true) : steer(name, sourceId, { kind: 'pause' })),
    resume: (name, sourceId) => (sourceId === undefined ? setPaused(name, false) : steer(name, sourceId, { kind: 'resume' })),

    async approve(flow) {
      flowOf(flow);
      await store.limits.approve(flow, Date.now() + APPROVED_MS);
      const held = await store.links.list({ flow, blockCode: 'held' });
      for (const link of held) await steer(flow, link.sourceId, { kind: 'retry' });
      const { source, target } = flowOf(flow);
      for (const { system, type } of [source, target]) await store.cursors.set(feedKey(system, type), { idsAt: 0 });
      return held.length;
    },

    async rebuild(onProgress = () => {}) {
      let [stored, started, done] = [0, 0, 0];
      const known = new Set<string>();
      for await (const run of client.workflow.list({
        query: `WorkflowType = '${WORKFLOWS.link}' AND ExecutionStatus = 'Running'`,
      })) {
        const state = await client.workflow.getHandle(run.workflowId).query<LinkState>(MESSAGES.state);
        const flow = flows.find((each) => each.name === state.flow);
        onProgress(++done);
        if (!flow) continue;
        known.add(linkKey(state.flow, state.source.id ?? ''));
        const types = { source: flow.source.type, target: flow.target.type };
        if (state.revision > 0 && (await store.links.write(recordOf(state), types))) stored += 1;
        else await store.links.discover([recordOf(state)], types);
      }
      for await (const link of store.links.each()) {
        const flow = flows.find((each) => each.name === link.flow);
        onProgress(++done);
        if (!flow || known.has(link._id) || link.ended === 'source gone') continue;
        if (await startLink(client, flow, link)) started += 1;
      }
      return { stored, started };
    },

    async link(flow, sourceId, targetId) {
      const link = await store.links.byKey(linkKey(flow, sourceId));
      if (!link) throw missing(flow, sourceId);
      const { target } = flowOf(flow);
      if (link.targetId !== null)
        throw new TandemError(`${flow} ${sourceId} is linked with ${target.type} ${link.targetId} already`);
      const taken = (await store.links.byTarget(target.type, [targetId])).get(targetId);
      if (taken) throw new TandemError(`${target.type} ${targetId} is linked with ${taken.flow} ${taken.sourceId} already`);
      await steer(flow, sourceId, { kind: 'link', id: targetId });
    },

    async getLink(flow, sourceId, { history = 20 } = {}) {
      flowOf(flow);
      const key = linkKey(flow, sourceId);
      const link = await store.links.byKey(key);
      if (!link) throw missing(flow, sourceId);
      const changes = await store.history.ofLink(key, { limit: history });
      return { link, history: changes, workflowId: linkWorkflowId(flow, sourceId) };
    },
  };
}
