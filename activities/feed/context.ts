import { createHash } from 'node:crypto';
import type { Connector, Snapshot } from '../../connectors/connector.ts';
import { SystemError } from '../../connectors/systemError.ts';
import { neededFields, scopeOf, type SystemName } from '../../flows/flow.ts';
import { feedKey } from '../../flows/names.ts';
import { SIDES } from '../../flows/side.ts';
import type { CursorFields } from '../../store/cursors.ts';
import type { CursorDocument } from '../../store/documents.ts';
import type { FeedInput } from '../../workflows/contract.ts';
import type { Deps } from '../deps.ts';
import { rulesOf } from '../observation.ts';
import { Floods } from './floods.ts';
import { flowRoles, type FlowRole } from './compareWithSeen.ts';

const HOUR_MS = 3600 * 1000;

/** One record type's feed, as the watcher that has it knows it. */
export interface FeedContext {
  readonly deps: Deps;
  /** The feed's key. */
  readonly id: string;
  readonly type: string;
  readonly connector: Connector;
  readonly roles: readonly FlowRole[];
  readonly fields: readonly string[];
  /** Flows, scopes and fields by which the feed is read: what was read by others was read for others. */
  readonly rules: string;
  readonly signal: AbortSignal;
  /** Fields in use whose edits move no stamp: no look finds them, only a full comparison. */
  readonly unstamped: readonly string[];
  /** Pauses between two full comparisons, and between two looks for deletions (ms). */
  readonly sweepMs: number;
  readonly deletionMs: number;
  /** What was dealt with lately, by id: each look reads the last minute again, and need not ask the store again. */
  readonly recent: Map<string, string>;
  readonly floods: Floods;
  /** Records of which links were told lately that the system calls them deleted, by id: when (ms). */
  readonly announced: Map<string, number>;
  cursor(): Promise<CursorDocument>;
  /** Moves the cursor. Throws FeedTaken where another watcher has the feed since. */
  advance(fields: CursorFields): Promise<void>;
}

/** A watcher's view of a feed; it has the feed from its first write on, until another watcher takes over. */
export function feedContext(deps: Deps, input: FeedInput, signal: AbortSignal): FeedContext {
  const name = input.system as SystemName;
  const id = feedKey(input.system, input.type);
  const connector = deps.connectors[name];
  const roles = flowRoles(deps.flows, name, input.type);
  const fields = [...new Set(roles.flatMap(({ flow, side }) => neededFields(flow, side)))];
  const known = connector.catalogue.types.find((each) => each.name === input.type)?.fields ?? [];
  const unstamped = known.filter((field) => field.unstamped && fields.includes(field.name)).map((field) => field.name);
  const sweepHours = unstamped.length > 0 ? Math.min(deps.sweepHours, deps.unstampedHours) : deps.sweepHours;
  const { cursors } = deps.store;
  let fence: Promise<string> | null = null;
  const taken = (): Promise<string> =>
    (fence ??= cursors.takeOver(id).catch((error: unknown) => {
      fence = null;
      throw error;
    }));
  return {
    deps,
    id,
    type: input.type,
    connector,
    roles,
    fields,
    rules: rulesHash(roles, fields),
    signal,
    unstamped,
    sweepMs: sweepHours * HOUR_MS,
    deletionMs: deps.deletionHours * HOUR_MS,
    recent: new Map(),
    floods: new Floods(),
    announced: new Map(),
    async cursor() {
      // Read after the feed is taken, so that nobody moves it between.
      await taken();
      return cursors.get(id);
    },
    advance: async (moved) => cursors.advance(id, await taken(), moved),
  };
}

function rulesHash(roles: readonly FlowRole[], fields: readonly string[]): string {
  const read = roles.map(({ flow, side }) => [
    flow.name,
    side,
    rulesOf(flow).hash,
    SIDES.map((each) => scopeOf(flow, each)),
    flow.match,
    flow.connected,
  ]);
  const text = JSON.stringify([read.toSorted((a, b) => (String(a) < String(b) ? -1 : 1)), fields.toSorted()]);
  return createHash('sha256').update(text).digest('hex').slice(0, 12);
}

/** A version may come again with other values, where stamps are coarse and nothing counts versions. */
export const fingerprint = ({ version, fields }: Snapshot): string => `${version} ${JSON.stringify(fields)}`;

/** An error as logs may have it: no text of a system's, which may quote names. */
export const loggedCode = (error: unknown): string =>
  error instanceof SystemError ? String(error.status ?? error.failure) : error instanceof Error ? error.name : 'unknown';
