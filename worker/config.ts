import { z } from 'zod';
import { TandemError } from '../flows/tandemError.ts';
import { readPollSeconds } from './pollSeconds.ts';
import { DEFAULT_INSTALLATION, installationProblem } from '../flows/installation.ts';

/** What is wrong, and, after a semicolon, what to do; the variable's name comes before. */
const missing = (what: string): string => `is missing; set it to ${what}`;
const required = (what: string): z.ZodString => z.string({ error: missing(what) });
const address = (what: string): z.ZodURL =>
  z.url({
    protocol: /^https?$/,
    error: (issue) => (issue.input === undefined ? missing(what) : `is not an http(s) address; set it to ${what}`),
  });
const amount = (what: string, preset: number): z.ZodDefault<z.ZodCoercedNumber> =>
  z.coerce
    .number({ error: `is not a number; it means: ${what}, ${preset} where it is left out` })
    .positive(`must be more than 0; it means: ${what}, ${preset} where it is left out`)
    .default(preset);

/** A name or a build of a worker deployment: Temporal parts them by "." or ":". */
const deploymentName = z
  .string()
  .regex(/^[^.:\s]{1,200}$/, 'must have no ".", ":" or blank; Temporal parts name and build by them');

/** Variables whose value is not to be repeated. */
const SECRET = /KEY|TOKEN|SECRET|MONGODB_URI|LIMITS_URI/;

/** Secrets of Standard Webhooks, by commas: several while they are being exchanged. */
const webhookSecrets = z
  .string()
  .refine(
    (text) => text.split(',').every((each) => /^whsec_[A-Za-z0-9+/]{16,}={0,2}$/.test(each.trim())),
    'is not whsec_… in base64, or several of these by commas',
  );

const storeSchema = z.object({
  MONGODB_URI: z
    .string()
    .regex(
      /^mongodb(\+srv)?:\/\/[^/]+/,
      "is not a MongoDB address; set it to mongodb://host:port/database; without a path, the database is the installation's",
    )
    .default('mongodb://127.0.0.1:27017'),
  TANDEM_LIMITS_URI: z
    .string()
    .regex(/^mongodb(\+srv)?:\/\/[^/]+/, 'is not a MongoDB address; set it to mongodb://host:port/database')
    .optional(),
  TANDEM_INSTALLATION: z
    .string()
    .default(DEFAULT_INSTALLATION)
    .superRefine((name, context) => {
      const problem = installationProblem(name);
      if (problem !== null) context.addIssue({ code: 'custom', message: problem });
    }),
});

const schema = storeSchema.extend({
  POWEROFFICE_URL: address(
    'the base address of PowerOffice Go, https://goapi.poweroffice.net/v2 or the demo https://goapi.poweroffice.net/Demo/v2',
  ),
  POWEROFFICE_APPLICATION_KEY: required('the application key of the integration'),
  POWEROFFICE_CLIENT_KEY: required('the client key of the PowerOffice client'),
  POWEROFFICE_SUBSCRIPTION_KEY: required('the subscription key of the developer portal'),
  POWEROFFICE_REQUESTS_PER_SECOND: amount('calls a second that Tandem may make, all workers together', 8).refine(
    (n) => n <= 10,
    'is too high; PowerOffice allows 10 a second at most',
  ),
  POWEROFFICE_WRITE_REFERENCES: z
    .enum(['yes', 'no'], {
      error: 'is neither yes nor no: whether Tandem may write its own reference into records that it creates',
    })
    .default('no')
    .transform((said) => said === 'yes'),
  TANDEM_CONTACT: z
    .string()
    .regex(/^[\x20-\x7e]+$/, 'must be plain ASCII: an e-mail address to which the provider of an API may write')
    .optional(),
  CRM_URL: address('the base address of the CRM'),
  CRM_PROFILE: z.string().min(1).optional(),
  TANDEM_FLOWS: z.string().min(1).optional(),
  TANDEM_BINDINGS: z.string().min(1).optional(),
  TANDEM_POLL_SECONDS: z
    .string()
    .transform((text, context) => {
      const seconds = readPollSeconds(text);
      if (typeof seconds !== 'string') return seconds;
      context.addIssue({ code: 'custom', message: seconds });
      return z.NEVER;
    })
    .optional(),
  TANDEM_UNSTAMPED_HOURS: amount('pause between two comparisons of types whose flows use what moves no stamp', 1),
  CRM_WEBHOOK_SECRET: webhookSecrets.optional(),
  TANDEM_SWEEP_HOURS: amount('pause between two full comparisons', 24),
  TANDEM_DELETION_HOURS: amount('pause between two looks for deletions', 1),
  TANDEM_HISTORY_DAYS: amount('how long applied changes are kept', 365),
  TANDEM_TAKEOVER_SECONDS: amount('silence after which another worker takes over a feed', 60),
  TEMPORAL_DEPLOYMENT_NAME: deploymentName.optional(),
  TEMPORAL_WORKER_BUILD_ID: deploymentName.optional(),
});

/** Worker versioning takes both of its variables or none. */
const workerSchema = schema.superRefine(({ TEMPORAL_DEPLOYMENT_NAME, TEMPORAL_WORKER_BUILD_ID }, context) => {
  if ((TEMPORAL_DEPLOYMENT_NAME === undefined) === (TEMPORAL_WORKER_BUILD_ID === undefined)) return;
  const path = [TEMPORAL_DEPLOYMENT_NAME === undefined ? 'TEMPORAL_DEPLOYMENT_NAME' : 'TEMPORAL_WORKER_BUILD_ID'];
  context.addIssue({ code: 'custom', path, message: missing("the worker's part of worker versioning, or leave both out") });
});

/** The configuration of a worker, by environment variable. */
export type Config = z.infer<typeof schema>;

function read<T>(shape: z.ZodType<T>, env: NodeJS.ProcessEnv): T {
  // An empty variable is as good as none.
  const given = Object.fromEntries(Object.entries(env).filter(([, value]) => value !== undefined && value !== ''));
  const parsed = shape.safeParse(given);
  if (parsed.success) return parsed.data;
  throw new TandemError(
    parsed.error.issues.map(({ path: [key], message }) => {
      const name = String(key);
      const [what, ...next] = message.split('; ');
      const seen = given[name] === undefined || SECRET.test(name) ? '' : ` ("${given[name]}")`;
      return { where: name, what: `${name} ${what}${seen}`, next: next.join('; ') };
    }),
    { kind: 'configuration' },
  );
}

/** Reads a worker's configuration. Throws TandemError with every problem at once. */
export function readConfig(env: NodeJS.ProcessEnv): Config {
  return read(workerSchema, env);
}

/** Reads what a client of the store alone needs. Throws TandemError. */
export function readStoreConfig(env: NodeJS.ProcessEnv): z.infer<typeof storeSchema> {
  return read(storeSchema, env);
}

const serverSchema = z.object({
  TANDEM_HTTP_PORT: z.coerce
    .number({ error: 'is not a port: where the HTTP interface listens' })
    .int('is not a port: where the HTTP interface listens')
    .min(0, 'is not a port: where the HTTP interface listens')
    .max(65_535, 'is not a port: where the HTTP interface listens')
    .default(8088),
  TANDEM_API_TOKENS: z.string().optional(),
  CRM_WEBHOOK_SECRET: webhookSecrets.optional(),
});

/** Reads what the HTTP interface needs. Throws TandemError with every problem at once. */
export function readServerConfig(env: NodeJS.ProcessEnv): z.infer<typeof serverSchema> {
  return read(serverSchema, env);
}
