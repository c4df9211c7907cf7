import { neededFields, type Flow, type SystemName } from '../../flows/flow.ts';
import { feedKey, systemTitle } from '../../flows/names.ts';
import { SIDES } from '../../flows/side.ts';
import type { Snapshot, Connector } from '../../connectors/connector.ts';

/** Every record of every type that the flows use, as both systems show them now. */
export interface Survey {
  records(system: SystemName, type: string): ReadonlyMap<string, Snapshot>;
  /** Records that are there and cannot be read: nothing is said of them. */
  readonly unreadable: readonly UnreadableRecord[];
  /** Calls made to each system: one for each page. */
  readonly pages: Readonly<Record<SystemName, number>>;
}

/** A record that no look can read, with why; without an id where its row shows none. */
export interface UnreadableRecord {
  readonly system: SystemName;
  readonly type: string;
  readonly id: string | null;
  readonly why: string;
}

/** "CRM Contact c7 cannot be read: …" */
export const unreadableInWords = ({ system, type, id, why }: UnreadableRecord): string =>
  `${systemTitle(system)} ${type} ${id ?? '(no id)'} cannot be read: ${why}`;

/** The ids of a type's records that cannot be read. */
export const unreadableIds = (
  all: readonly UnreadableRecord[],
  { system, type }: Pick<SurveyedType, 'system' | 'type'>,
): Set<string> =>
  new Set(all.flatMap((each) => (each.system === system && each.type === type && each.id !== null ? [each.id] : [])));

/** What a survey reads: a type of a system, and the fields that any flow needs of it. */
export interface SurveyedType {
  readonly system: SystemName;
  readonly type: string;
  readonly fields: readonly string[];
}

/** The record types that flows use, each once. */
export function surveyedTypes(flows: readonly Flow[]): SurveyedType[] {
  const parts = new Map<string, SurveyedType>();
  for (const flow of flows)
    for (const side of SIDES) {
      const { system, type } = flow[side];
      const key = feedKey(system, type);
      const fields = [...(parts.get(key)?.fields ?? []), ...neededFields(flow, side)];
      parts.set(key, { system, type, fields: [...new Set(fields)] });
    }
  return [...parts.values()];
}

/**
 * Reads all of both systems, page by page, at the pace of the shared throttle and behind every other call. Writes
 * nothing. `read` is told after each page how many records there are by now.
 */
export async function survey(
  systems: Readonly<Record<SystemName, Connector>>,
  flows: readonly Flow[],
  read: (records: number) => void = () => {},
): Promise<Survey> {
  const all = new Map<string, Map<string, Snapshot>>();
  const pages: Record<SystemName, number> = { powerOffice: 0, crm: 0 };
  const unreadable: UnreadableRecord[] = [];
  let records = 0;
  for (const { system, type, fields } of surveyedTypes(flows)) {
    const found = new Map<string, Snapshot>();
    for await (const page of systems[system].changed({ type, fields, since: null }, { priority: 'sweep' })) {
      for (const record of page.records) found.set(record.id, record);
      for (const { id = null, why } of page.unreadable ?? []) unreadable.push({ system, type, id, why });
      pages[system] += 1;
      records += page.records.length;
      read(records);
    }
    all.set(feedKey(system, type), found);
  }
  return { pages, unreadable, records: (system, type) => all.get(feedKey(system, type)) ?? new Map() };
}
