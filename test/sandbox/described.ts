import { powerOfficeSandbox, type PowerOfficeOptions } from '../../sandbox/powerOffice/server.ts';
import { seed } from '../../sandbox/seed.ts';
import type { StandIn } from '../../sandbox/standIn.ts';
import { undescribed } from '../support/description.ts';
import { KEYS } from '../support/world.ts';

/** A stand-in that answers at once, its answers held against the description. */
export interface Described {
  readonly standIn: StandIn;
  /** Asks below `/v2`, with the keys and a token. */
  ask(
    call: string | { readonly method: string; readonly type: string },
    path: string,
    body?: unknown,
  ): Promise<{ status: number; headers: Headers; body: unknown }>;
  /** Answers, and requests of `ask`, that the description does not have. */
  readonly violations: string[];
}

export const SIZE = {
  products: 12,
  contactPersons: 25,
  suppliers: 8,
  supplierPersons: 3,
  customers: 6,
  employees: 4,
  projects: 5,
  activities: 3,
};

export async function describedStandIn(options: Partial<PowerOfficeOptions> = {}): Promise<Described> {
  const standIn = powerOfficeSandbox({
    ...KEYS,
    file: null,
    lagMs: 0,
    requestsPerSecond: Infinity,
    seed: seed(SIZE),
    ...options,
  });
  const violations: string[] = [];
  const headers = { 'ocp-apim-subscription-key': KEYS.subscriptionKey };
  const token = await standIn.app.request('/OAuth/Token', {
    method: 'POST',
    headers: {
      ...headers,
      authorization: `Basic ${Buffer.from(`${KEYS.applicationKey}:${KEYS.clientKey}`).toString('base64')}`,
      'content-type': 'application/x-www-form-urlencoded',
    },
    body: 'grant_type=client_credentials',
  });
  const { access_token: bearer } = (await token.json()) as { access_token: string };
  return {
    standIn,
    violations,
    async ask(call, path, body) {
      const { method, type = call === 'PATCH' ? 'application/json-patch+json' : 'application/json' } =
        typeof call === 'string' ? { method: call } : call;
      const response = await standIn.app.request(`/v2${path}`, {
        method,
        headers: {
          ...headers,
          authorization: `Bearer ${bearer}`,
          ...(body === undefined ? {} : { 'content-type': type }),
        },
        ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      });
      const text = await response.text();
      const [address = ''] = path.split('?');
      violations.push(
        ...undescribed(
          { method, path: address },
          { status: response.status, type: response.headers.get('content-type') ?? '', body: text },
        ),
      );
      return { status: response.status, headers: response.headers, body: text === '' ? undefined : JSON.parse(text) };
    },
  };
}
