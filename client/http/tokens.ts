import { createHash, randomBytes, timingSafeEqual } from 'node:crypto';
import { listed } from './listed.ts';

/** What a token lets its bearer do; each right includes those before it. */
export const RIGHTS = ['read', 'steer', 'admin'] as const;
export type Right = (typeof RIGHTS)[number];

/** A token as the configuration names it: the token itself is known to its bearer alone. */
export interface ApiToken {
  readonly name: string;
  readonly right: Right;
  /** SHA-256 of the token, hex. */
  readonly sha256: string;
}

/** Whoever makes a request. */
export interface Caller {
  readonly name: string;
  readonly right: Right;
}

const ENTRY = /^([\w.-]{1,60}):(read|steer|admin):([0-9a-f]{64})$/i;

/** Reads `name:right:sha256`, by commas. Gives every problem with the place of its entry; never an entry's own text. */
export function readApiTokens(text: string): { tokens: ApiToken[]; problems: string[] } {
  const tokens: ApiToken[] = [];
  const problems: string[] = [];
  for (const [i, entry] of listed(text).entries()) {
    const match = ENTRY.exec(entry);
    if (!match) {
      problems.push(
        `entry ${i + 1} is not name:right:sha256, with a right of ${RIGHTS.join(', ')}; \`npx tandem token new\` makes one`,
      );
      continue;
    }
    const [, name = '', right = '', sha256 = ''] = match;
    if (tokens.some((each) => each.name === name))
      problems.push(`the name "${name}" stands twice; give each token a name of its own`);
    tokens.push({ name, right: right.toLowerCase() as Right, sha256: sha256.toLowerCase() });
  }
  return { tokens, problems };
}

const digest = (token: string): Buffer => createHash('sha256').update(token).digest();

/** A new token, and the entry that lets it in. */
export function newToken(name: string, right: Right): { token: string; entry: string } {
  const token = `tandem_${randomBytes(32).toString('base64url')}`;
  return { token, entry: `${name}:${right}:${digest(token).toString('hex')}` };
}

/** Whose token it is; null for nobody's. Takes as long for a wrong token as for a right one. */
export function callerOf(tokens: readonly ApiToken[], token: string): Caller | null {
  const given = digest(token);
  let found: Caller | null = null;
  for (const { name, right, sha256 } of tokens) if (timingSafeEqual(given, Buffer.from(sha256, 'hex'))) found = { name, right };
  return found;
}

/** Whether a caller may do what needs a right. */
export const mayDo = (caller: Caller, needed: Right): boolean => RIGHTS.indexOf(caller.right) >= RIGHTS.indexOf(needed);
