import { readStack, type StackFile } from './stack/file.ts';

/** What a person asked for cannot be done in the sandbox. */
export class SandboxError extends Error {
  override readonly name = 'SandboxError';
}

const SYSTEM_OF: Readonly<Record<string, 'powerOffice' | 'crm'>> = {
  product: 'powerOffice',
  contactperson: 'powerOffice',
  supplier: 'powerOffice',
  customer: 'powerOffice',
  employee: 'powerOffice',
  project: 'powerOffice',
  projectactivity: 'powerOffice',
  timetrackingactivity: 'powerOffice',
  contact: 'crm',
  company: 'crm',
  activity: 'crm',
};
const NAMES = [
  'Product',
  'ContactPerson',
  'Supplier',
  'Customer',
  'Employee',
  'Project',
  'ProjectActivity',
  'TimeTrackingActivity',
  'Contact',
  'Company',
  'Activity',
];

function stack(): StackFile {
  const found = readStack();
  if (!found) throw new SandboxError('no local stack is there; start one with `npm start`');
  return found;
}

function place(type: string): { url: string; type: string } {
  const system = SYSTEM_OF[type.toLowerCase()];
  const name = NAMES.find((each) => each.toLowerCase() === type.toLowerCase());
  if (!system || !name) throw new SandboxError(`there is no type ${type}; types are ${NAMES.join(', ')}`);
  return { url: `${origin(system)}/_sandbox/records/${name}`, type: name };
}

const origin = (system: 'powerOffice' | 'crm'): string => `http://127.0.0.1:${stack().ports[system]}`;

function values(pairs: readonly string[]): Record<string, unknown> {
  return Object.fromEntries(
    pairs.map((pair) => {
      const at = pair.indexOf('=');
      if (at < 1) throw new SandboxError(`"${pair}" is not property=value`);
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
    throw new SandboxError(`the sandbox at ${new URL(url).host} does not answer; is \`npm start\` running?`);
  }
  const text = await response.text();
  const answer: unknown = text === '' ? null : JSON.parse(text);
  if (!response.ok)
    throw new SandboxError(String((answer as { error?: unknown } | null)?.error ?? `the sandbox answered ${response.status}`));
  return answer;
}

const path = (id: string): string => id.split('/').map(encodeURIComponent).join('/');

export const edit = (type: string, id: string, pairs: readonly string[]): Promise<unknown> =>
  ask(`${place(type).url}/${path(id)}`, 'PATCH', values(pairs));
export const create = (type: string, pairs: readonly string[]): Promise<unknown> => ask(place(type).url, 'POST', values(pairs));
export const list = (type: string): Promise<unknown> => ask(place(type).url, 'GET');

export async function remove(type: string, id: string): Promise<string> {
  await ask(`${place(type).url}/${path(id)}`, 'DELETE');
  return `deleted ${place(type).type} ${id}`;
}

export async function fault(
  system: string,
  kind: string,
  options: { path?: string; method?: string; status: string; times: string },
): Promise<string> {
  const name = system.toLowerCase() === 'crm' ? 'crm' : 'powerOffice';
  await ask(`${origin(name)}/_sandbox/faults`, 'POST', {
    kind,
    status: Number(options.status),
    times: Number(options.times),
    ...(options.path === undefined ? {} : { path: options.path }),
    ...(options.method === undefined ? {} : { method: options.method }),
  });
  return `the next ${options.times} matching calls to ${name} fail: ${kind}`;
}
