import { isNoValue, sameValue, type Value } from '../../flows/values.ts';
import type { Aftermath, Pair } from './aftermath.ts';
import { tidied, type Nature } from './modelRecord.ts';
import { ANOTHER_BODY } from './modelSystem.ts';

/** What no record may be without. */
const NAMES = ['FirstName', 'LastName', 'givenName', 'familyName'];

/** Whether a link that is blocked in the end has a reason that the model knows. */
export function blockIsDeserved(after: Aftermath, { plan, sourceId, row, link, stored, other }: Pair): boolean {
  const { site, people } = after;
  const code = stored.block?.code ?? '';
  const values = NAMES.map((name) => (name in (row?.fields ?? {}) ? row : other)?.fields[name]);
  const roles = [row?.fields['Role'], other?.fields['role']];
  // What a person has chosen may be what neither side takes.
  const chosen = Object.values(link.state.verdicts).flatMap(({ source, target }) => [source, target]);
  const refusable =
    values.some((value) => isNoValue(value)) ||
    [...values, ...roles, ...chosen].some((value) => typeof value === 'string' && /[!?]/.test(value));
  const { lies, externalId, uniqueExternalId, idempotencyKey } = site.target.nature;
  // A key names one body for ever.
  if (stored.block?.text.includes(ANOTHER_BODY) === true) return false;
  switch (code) {
    case 'ambiguous': {
      const twins = people.twins.filter((twin) => twin.site === site && twin.sourceId === sourceId);
      const keyless = !(externalId && uniqueExternalId) && !idempotencyKey;
      return keyless || (plan.relation.startsWith('m') && twins.length > 1) || lies !== null;
    }
    case 'unstored':
      // What somebody set back at once cannot be told from what was never stored; nor can what is cut to what stands there.
      return (
        site.target.forgot.has(other?.id ?? '') ||
        after.schedule.acts.some((act) => act.do === 'back') ||
        (site.target.nature.still && values.concat(roles).some((value) => isCut(site.target.nature, value)))
      );
    case 'merged':
      return site.target.merged.size > 0;
    case 'partner-gone':
      return other === undefined || undeleted(after, other.id);
    case 'taken':
      return plan.relation.startsWith('m');
    case 'refused':
    case '200':
      return (lies?.leavesOut ?? 0) > 0 || (lies?.unreadable ?? 0) > 0 || refusable;
    default:
      return /^\d+$/.test(code) && refusable;
  }
}

const isCut = (nature: Nature, value: Value | undefined): boolean =>
  nature.tidy === 'cuts' && !sameValue(tidied(nature, value ?? null), value);

const undeleted = ({ site }: Aftermath, id: string): boolean =>
  site.target.deeds.some((deed) => deed.id === id && deed.kind === 'undelete');
