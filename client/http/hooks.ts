import { Webhook } from 'standardwebhooks';
import type { Flow } from '../../flows/flow.ts';
import { SIDES } from '../../flows/side.ts';
import { readBody } from './body.ts';
import { HttpProblem } from './problem.ts';

/** The largest hook that is read (bytes). */
const HOOK_LIMIT = 256 * 1024;
/** No record's id is longer: what is names none. */
const LONGEST_ID = 200;

export interface HookOptions {
  readonly flows: readonly Flow[];
  /** Secrets by system; several while they are being exchanged. */
  readonly secrets: Readonly<Record<string, readonly string[]>>;
  /** Asks the watcher of a record type to look now: at one record, or at the feed where none is named. */
  readonly lookNow: (system: string, type: string, id: string | null) => Promise<void>;
}

/**
 * Takes a webhook, signed as Standard Webhooks has it. A hook is a hint and no more: what it says changed is never
 * believed, the record is read, or its feed is. So a hook that is lost, doubled or out of order does no harm.
 */
export async function takeHook(
  options: HookOptions,
  system: string,
  request: Request,
): Promise<{ readonly looked: readonly string[] }> {
  const secrets = options.secrets[system] ?? [];
  if (secrets.length === 0)
    throw new HttpProblem(
      404,
      `no webhooks are taken from ${system}; set ${system.toUpperCase()}_WEBHOOK_SECRET where Tandem runs`,
    );
  const body = await readBody(request, HOOK_LIMIT);
  if (!secrets.some((secret) => isSigned(secret, body, request.headers)))
    throw new HttpProblem(401, 'the signature is missing, is not of a known secret, or is older than five minutes');
  const types = typesOf(options.flows, system);
  const { type: named, id } = recordNamed(body);
  const looked = named === null ? types : types.filter((type) => type.toLowerCase() === named.toLowerCase());
  for (const type of looked) await options.lookNow(system, type, named === null ? null : id);
  return { looked };
}

function isSigned(secret: string, body: string, headers: Headers): boolean {
  try {
    new Webhook(secret).verify(body, Object.fromEntries(headers), { jsonParse: false });
    return true;
  } catch {
    return false;
  }
}

/** Record types of a system that flows use. */
function typesOf(flows: readonly Flow[], system: string): string[] {
  const ends = flows.flatMap((flow) => SIDES.map((side) => flow[side]));
  return [...new Set(ends.filter((end) => end.system === system).map((end) => end.type))];
}

/** `contact` and `c1` of `{ "type": "contact.updated", "data": { "id": "c1" } }`; null for what the hook does not name. */
function recordNamed(body: string): { readonly type: string | null; readonly id: string | null } {
  try {
    const { type, data } = JSON.parse(body) as { type?: unknown; data?: { id?: unknown } | null };
    const id = typeof data?.id === 'number' ? String(data.id) : data?.id;
    return {
      type: typeof type === 'string' && type.includes('.') ? (type.split('.')[0] ?? null) : null,
      id: typeof id === 'string' && id !== '' && id.length <= LONGEST_ID ? id : null,
    };
  } catch {
    return { type: null, id: null };
  }
}
