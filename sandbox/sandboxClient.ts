import { TandemError } from '../flows/tandemError.ts';

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

/** Where the stand-ins listen. */
export type Origins = Readonly<Record<'powerOffice' | 'crm', string>>;

/** Acts as a person in the stand-ins. Throws TandemError. */
export function sandboxClient(origins: Origins) {
  function place(type: string): { url: string; type: string } {
    for (const system of ['powerOffice', 'crm'] as const) {
      const name = TYPES[system].find((each) => each.toLowerCase() === type.toLowerCase());
      if (name !== undefined) return { url: `${origins[system]}/_sandbox/records/${name}`, type: name };
    }
    throw new TandemError(`there is no type ${type}; types are ${[...TYPES.powerOffice, ...TYPES.crm].join(', ')}`);
  }
  return {
    edit: (type: string, id: string, pairs: readonly string[]): Promise<unknown> =>
      ask(`${place(type).url}/${path(id)}`, 'PATCH', values(pairs)),
    create: (type: string, pairs: readonly string[]): Promise<unknown> => ask(place(type).url, 'POST', values(pairs)),
    list: (type: string): Promise<unknown> => ask(place(type).url, 'GET'),

    async remove(type: string, id: string): Promise<string> {
      await ask(`${place(type).url}/${path(id)}`, 'DELETE');
      return `deleted ${place(type).type} ${id}`;
    },

    async fault(
      system: string,
      kind: string,
      options: { path?: string; method?: string; status: string; times: string },
    ): Promise<string> {
      const name = system.toLowerCase() === 'crm' ? 'crm' : 'powerOffice';
      await ask(`${origins[name]}/_sandbox/faults`, 'POST', {
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
