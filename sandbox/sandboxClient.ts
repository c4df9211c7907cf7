import { TandemError } from '../flows/tandemError.ts';
import { crmDesk } from './crmDesk.ts';

const TYPES = {
  powerOffice: [
    'Product',
    'ProductGroup',
    'ContactPerson',
    'Supplier',
    'Customer',
    'Employee',
    'Project',
    'Department',
    'ContactGroup',
    'TimeTrackingActivity',
  ],
  crm: ['Contact', 'Company', 'Activity'],
} as const;

function values(pairs: readonly string[]): Record<string, unknown> {
  return Object.fromEntries(
    pairs.map((pair) => {
      const at = pair.indexOf('=');
      if (at < 1) throw new TandemError(`"${pair}" is not property=value`);
      const text = pair.slice(at + 1);
      const value = text === '' ? null : text === 'true' ? true : text === 'false' ? false : text;
      return [pair.slice(0, at), value];
    }),
  );
}

async function ask(url: string, method: string, body?: unknown): Promise<unknown> {
  let response: Response;
  try {
    response = await fetch(url, {
      method,
      ...(body === undefined ? {} : { body: JSON.stringify(body), headers: { 'content-type': 'application/json' } }),
    });
  } catch {
    throw new TandemError(`the sandbox at ${new URL(url).host} does not answer; is \`npm start\` running?`);
  }
  const text = await response.text();
  const answer: unknown = text === '' ? null : JSON.parse(text);
  if (!response.ok)
    throw new TandemError(String((answer as { error?: unknown } | null)?.error ?? `the sandbox answered ${response.status}`));
  return answer;
}

const path = (id: string): string => id.split('/').map(encodeURIComponent).join('/');

/** Where the stand-ins listen; a real CRM in place of one: its name, and the environment under which it is reached. */
export interface Origins {
  readonly powerOffice: string;
  readonly crm: string | { readonly name: string; readonly env: NodeJS.ProcessEnv };
}

/** Acts as a person in the stand-ins, or in the real CRM that runs in place of one. Throws TandemError. */
export function sandboxClient({ powerOffice, crm }: Origins) {
  const typeNamed = (type: string, among: readonly string[]): string | undefined =>
    among.find((each) => each.toLowerCase() === type.toLowerCase());
  const records = (origin: string, name: string): string => `${origin}/_sandbox/records/${name}`;

  /** The stand-in's place for a type, or the real CRM's desk. */
  async function place(
    type: string,
  ): Promise<{ type: string } & ({ url: string } | { desk: Awaited<ReturnType<typeof crmDesk>> })> {
    const ours = typeNamed(type, TYPES.powerOffice);
    if (ours !== undefined) return { type: ours, url: records(powerOffice, ours) };
    const theirs = typeNamed(type, TYPES.crm);
    if (theirs === undefined)
      throw new TandemError(`there is no type ${type}; types are ${[...TYPES.powerOffice, ...TYPES.crm].join(', ')}`);
    return typeof crm === 'string' ? { type: theirs, url: records(crm, theirs) } : { type: theirs, desk: await crmDesk(crm.env) };
  }
  return {
    async edit(type: string, id: string, pairs: readonly string[]): Promise<unknown> {
      const at = await place(type);
      return 'url' in at ? ask(`${at.url}/${path(id)}`, 'PATCH', values(pairs)) : at.desk.edit(at.type, id, values(pairs));
    },
    async create(type: string, pairs: readonly string[]): Promise<unknown> {
      const at = await place(type);
      return 'url' in at ? ask(at.url, 'POST', values(pairs)) : at.desk.create(at.type, values(pairs));
    },
    async list(type: string): Promise<unknown> {
      const at = await place(type);
      return 'url' in at ? ask(at.url, 'GET') : at.desk.list(at.type);
    },
    async remove(type: string, id: string): Promise<string> {
      const at = await place(type);
      await ('url' in at ? ask(`${at.url}/${path(id)}`, 'DELETE') : at.desk.remove(at.type, id));
      return `deleted ${at.type} ${id}`;
    },

    async fault(
      system: string,
      kind: string,
      options: { path?: string; method?: string; status: string; times: string },
    ): Promise<string> {
      const name = system.toLowerCase() === 'crm' ? 'crm' : 'powerOffice';
      if (name === 'crm' && typeof crm !== 'string')
        throw new TandemError(
          `the CRM is a real ${crm.name}, in which no faults can be made; the stand-in has them: \`npm start -- --fresh\``,
        );
      await ask(`${name === 'crm' ? String(crm) : powerOffice}/_sandbox/faults`, 'POST', {
        kind,
        status: Number(options.status),
        times: Number(options.times),
        ...(options.path === undefined ? {} : { path: options.path }),
        ...(options.method === undefined ? {} : { method: options.method }),
      });
      return `the next ${options.times} matching calls to ${name} fail: ${kind}`;
    },
  };
}

export type SandboxClient = ReturnType<typeof sandboxClient>;
