import { DEFAULT_PROFILE } from '../connectors/crm/profile/default.ts';
import { profileHash } from '../connectors/crm/profile/read.ts';
import type { Crm } from '../connectors/crm/readCrm.ts';
import type { Flow } from '../flows/flow.ts';
import type { Store } from '../store/store.ts';

/** What is known of the CRM's profile, in a sentence. */
export interface ProfileVerdict {
  readonly state: 'checked' | 'unchecked' | 'refuted';
  readonly sentence: string;
}

/** Whether the profile was checked as it is now, each type that the flows use, and what a check has refuted. */
export async function profileVerdict(
  { profile, hash, name }: Crm,
  { store, flows }: { readonly store: Pick<Store, 'systems'>; readonly flows: readonly Flow[] },
): Promise<ProfileVerdict> {
  if (!profile) return { state: 'checked', sentence: `the CRM is spoken to by the adapter "${name}", which no check covers` };
  if (hash === profileHash(DEFAULT_PROFILE)) return { state: 'checked', sentence: 'the default profile is used' };
  const { profileCheck } = await store.systems.get('crm');
  if (profileCheck?.hash !== hash)
    return { state: 'unchecked', sentence: `the profile "${name}" was never checked as it is now` };
  if (profileCheck && profileCheck.refuted.length > 0)
    return {
      state: 'refuted',
      sentence: `\`tandem profile check\` has refuted what the profile "${name}" claims: ${profileCheck.refuted.join('; ')}`,
    };
  const used = new Set(
    flows.flatMap(({ source, target }) => [source, target]).flatMap((side) => (side.system === 'crm' ? [side.type] : [])),
  );
  const unchecked = [...used].filter((type) => !profileCheck?.types.includes(type));
  if (unchecked.length > 0)
    return { state: 'unchecked', sentence: `${unchecked.join(', ')} of the profile "${name}" was never checked as it is now` };
  return { state: 'checked', sentence: `the profile "${name}" was checked as it is now` };
}
