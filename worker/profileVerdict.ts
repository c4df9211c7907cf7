import type { Crm } from '../connectors/crm/readCrm.ts';
import type { Store } from '../store/store.ts';

/** What is known of the CRM's profile, in a sentence. */
export interface ProfileVerdict {
  readonly state: 'checked' | 'unchecked' | 'refuted';
  readonly sentence: string;
}

/** Whether the profile was checked as it is now, and what a check has refuted. */
export async function profileVerdict({ profile, hash, name }: Crm, store: Pick<Store, 'systems'>): Promise<ProfileVerdict> {
  if (!profile) return { state: 'checked', sentence: `the CRM is spoken to by the adapter "${name}", which no check covers` };
  if (profile.name === 'default') return { state: 'checked', sentence: 'the default profile is used' };
  const { profileCheck } = await store.systems.get('crm');
  if (profileCheck?.hash !== hash)
    return { state: 'unchecked', sentence: `the profile "${name}" was never checked as it is now` };
  if (profileCheck && profileCheck.refuted.length > 0)
    return {
      state: 'refuted',
      sentence: `\`tandem profile check\` has refuted what the profile "${name}" claims: ${profileCheck.refuted.join('; ')}`,
    };
  return { state: 'checked', sentence: `the profile "${name}" was checked as it is now` };
}
