import { SystemError } from '../systemError.ts';
import type { PowerOfficeClient } from './client.ts';

/** Who the service says we are: address and client, and the roles that this integration has, where it tells them. */
export interface Introduction {
  readonly identity: string;
  readonly privileges?: readonly string[];
}

/** The cheap call that shows whether the key is taken. Throws SystemError. */
export async function introduce(client: PowerOfficeClient, signal?: AbortSignal): Promise<Introduction> {
  const { base } = client;
  try {
    const answer = await client.send({ method: 'GET', path: 'ClientIntegrationInformation' }, { priority: 'write', signal });
    const body = (answer.body ?? {}) as Record<string, unknown>;
    const id = body['ClientId'] ?? body['clientId'] ?? body['Id'] ?? '';
    const privileges = body['ValidPrivileges'] ?? body['validPrivileges'];
    return {
      identity: typeof id === 'string' || typeof id === 'number' ? `${base} ${id}`.trim() : base,
      ...(Array.isArray(privileges) ? { privileges: privileges.filter((each) => typeof each === 'string') } : {}),
    };
  } catch (error) {
    // Optional: a service without it, or a key without that privilege, still showed that the key is taken.
    if (error instanceof SystemError && (error.failure === 'gone' || error.status === 403 || isPrivilege(error)))
      return { identity: base };
    throw error;
  }
}

const isPrivilege = (error: SystemError): boolean => error.status === 400 && /privilege/i.test(error.text);
