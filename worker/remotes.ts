import { isGrpcServiceError, type Client } from '@temporalio/client';
import type { Connector } from '../connectors/connector.ts';
import type { Crm } from '../connectors/crm/readCrm.ts';
import { keyAtFault } from '../connectors/powerOffice/token.ts';
import { SystemError } from '../connectors/systemError.ts';
import { faultInWords } from '../flows/faults.ts';
import { systemTitle } from '../flows/names.ts';
import { TandemError, type TandemErrorKind } from '../flows/tandemError.ts';
import type { StoreOptions } from '../store/connect.ts';
import { Store } from '../store/store.ts';
import { Health, PATIENCE_MS } from './health.ts';

/** A server that a start needs, and the variables in which a person says where it is and with which key. */
export interface Remote {
  readonly title: string;
  readonly addressIn: string;
  /** The variables of the key that a refusal is about. */
  keysIn(error: unknown): readonly string[];
}

/** The MongoDB of an address; neither its password nor its options, which may hold one, are shown. */
export const mongoServer = (uri: string, addressIn = 'MONGODB_URI'): Remote => ({
  title: `MongoDB at ${uri
    .replace(/^[^/]*\/\//, '')
    .replace(/^[^@/]*@/, '')
    .replace(/\/?\?.*$/, '')}`,
  addressIn,
  keysIn: () => [addressIn],
});

/** The Temporal of an address. */
export const temporalServer = (address: string): Remote => ({
  title: `Temporal at ${address}`,
  addressIn: 'TEMPORAL_ADDRESS',
  keysIn: (error) => [code(error) === NOT_FOUND ? 'TEMPORAL_NAMESPACE' : 'TEMPORAL_API_KEY'],
});

/** gRPC: cancelled, deadline exceeded, resource exhausted, unavailable. */
const AWAY = [1, 4, 8, 14];
/** What a broken connection says, where the driver of MongoDB passes it on as it is. */
const BROKEN = ['EPIPE', 'ECONNRESET', 'ECONNREFUSED', 'ETIMEDOUT'];

/** The two servers that Tandem cannot work without, watched. */
export function serversOf(client: Client, store: Store, at: { readonly temporal: string; readonly mongo: string }): Health {
  return new Health([
    {
      of: 'temporal',
      name: temporalServer(at.temporal).title,
      // With a deadline, or the client goes on trying after nobody waits any more.
      check: () => client.withDeadline(Date.now() + PATIENCE_MS, () => client.connection.workflowService.getSystemInfo({})),
      failedIn: (error) =>
        isGrpcServiceError(error) ? AWAY.includes(Number(error.code)) : error.name === 'WorkflowUpdateRPCTimeoutOrCancelledError',
    },
    {
      of: 'store',
      name: mongoServer(at.mongo).title,
      check: () => store.ping(),
      failedIn: ({ name, code: said }: Error & { code?: unknown }) => name.startsWith('Mongo') || BROKEN.includes(String(said)),
    },
  ]);
}

const POWEROFFICE_KEYS = {
  applicationKey: 'POWEROFFICE_APPLICATION_KEY',
  clientKey: 'POWEROFFICE_CLIENT_KEY',
  subscriptionKey: 'POWEROFFICE_SUBSCRIPTION_KEY',
} as const;

/** One of both systems. */
export function systemServer(system: Connector, crm: Crm): Remote {
  if (system.name === 'crm') return { title: systemTitle(system.name), addressIn: 'CRM_URL', keysIn: () => crm.keys };
  return {
    title: systemTitle(system.name),
    addressIn: 'POWEROFFICE_URL',
    keysIn: (error) => (error instanceof SystemError ? keyAtFault(error).map((key) => POWEROFFICE_KEYS[key]) : []),
  };
}

/** A store of this address. Throws TandemError. */
export async function openStore(uri: string, options?: StoreOptions, addressIn?: string): Promise<Store> {
  try {
    return await Store.connect(uri, options);
  } catch (error) {
    throw whyUnusable(mongoServer(uri, addressIn), error);
  }
}

const [INVALID_ARGUMENT, NOT_FOUND, PERMISSION_DENIED, UNAUTHENTICATED] = [3, 5, 7, 16];
/** The answer of a gRPC server, which Temporal's client may have wrapped. */
function grpcAnswer(error: unknown): { code: number; details: string } | null {
  for (let at = error; at instanceof Error; at = at.cause)
    if (isGrpcServiceError(at)) return { code: Number(at.code), details: at.details };
    // Some of its calls give this instead of the answer.
    else if (isNamespaceMissing(at)) return { code: NOT_FOUND, details: `Namespace ${at.namespace} is not found.` };
  return null;
}
const isNamespaceMissing = (error: Error): error is Error & { readonly namespace: string } =>
  error.name === 'NamespaceNotFoundError';
const code = (error: unknown): number | null => grpcAnswer(error)?.code ?? null;
/** Temporal's client says "unexpected" of what is no answer, and keeps what happened as the cause. */
const rootOf = (error: Error): Error => (error.name === 'ServiceError' && error.cause instanceof Error ? error.cause : error);
/** Unauthorized and AuthenticationFailed, and how hosted servers number them. */
const MONGO_AUTH = [13, 18, 8000];

type Verdict = 'key' | 'refused' | 'unreachable';

function verdictOf(error: unknown): { verdict: Verdict; words: string } {
  if (error instanceof SystemError) {
    const verdict = error.failure === 'unauthorized' ? 'key' : error.retryable ? 'unreachable' : 'refused';
    return { verdict, words: error.text };
  }
  if (!(error instanceof Error)) return { verdict: 'unreachable', words: String(error) };
  const answer = grpcAnswer(error);
  const words = answer?.details ?? rootOf(error).message.split('\n')[0] ?? '';
  if (answer) {
    const grpc = answer.code;
    if (grpc === UNAUTHENTICATED || grpc === PERMISSION_DENIED || grpc === NOT_FOUND) return { verdict: 'key', words };
    return { verdict: grpc === INVALID_ARGUMENT ? 'refused' : 'unreachable', words };
  }
  if (MONGO_AUTH.includes(Number((error as { code?: unknown }).code))) return { verdict: 'key', words };
  const malformed = ['MongoParseError', 'MongoInvalidArgumentError', 'MongoAPIError', 'MongoMissingCredentialsError'];
  return { verdict: malformed.includes(error.name) ? 'refused' : 'unreachable', words };
}

/** Why a server cannot be used, naming the variable: kind `unreachable` where it may answer later, else `configuration`. */
export function whyUnusable(server: Remote, error: unknown): TandemError {
  if (error instanceof TandemError) return error;
  const { verdict, words } = verdictOf(error);
  const named = server.keysIn(error);
  const keys = named.length > 0 ? named.join(' or ') : server.addressIn;
  const told: Record<Verdict, { where: string; what: string; next: string; kind: TandemErrorKind }> = {
    key: {
      where: keys,
      what: code(error) === NOT_FOUND ? `${server.title}: ${words}` : `${faultInWords(server.title, 'unauthorized')}: ${words}`,
      next: `correct ${keys}`,
      kind: 'configuration',
    },
    refused: {
      where: server.addressIn,
      what: `${server.title} refuses the start-up check: ${words}`,
      next: `correct ${server.addressIn}, or what the answer names`,
      kind: 'configuration',
    },
    unreachable: {
      where: server.addressIn,
      what: `${faultInWords(server.title, 'unreachable')}: ${words}`,
      next: `start it, or correct ${server.addressIn}`,
      kind: 'unreachable',
    },
  };
  const { kind, ...problem } = told[verdict];
  return new TandemError(problem, { kind, cause: error });
}
