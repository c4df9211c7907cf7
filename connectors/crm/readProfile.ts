import { readFile } from 'node:fs/promises';
import { issuesInWords } from '../../flows/validate.ts';
import { DEFAULT_PROFILE, profileSchema, type Profile } from './profile.ts';

/** A profile file that cannot be used; the message names the file and every problem. */
export class ProfileError extends Error {
  override readonly name = 'ProfileError';
}

/** Reads the CRM profile at `path`, or gives the built-in one. Throws ProfileError. */
export async function readProfile(path: string | undefined): Promise<Profile> {
  if (path === undefined) return DEFAULT_PROFILE;
  let file: unknown;
  try {
    file = JSON.parse(await readFile(path, 'utf8'));
  } catch (error) {
    throw new ProfileError(
      `CRM_PROFILE: ${path} ${error instanceof SyntaxError ? 'is not JSON' : 'cannot be read'}: ${(error as Error).message}`,
    );
  }
  const parsed = profileSchema.safeParse(file);
  if (parsed.success) return parsed.data;
  throw new ProfileError(
    issuesInWords(parsed.error)
      .map((issue) => `CRM_PROFILE: ${path}: ${issue}`)
      .join('\n'),
  );
}
