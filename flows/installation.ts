import type { Side } from './side.ts';

/** The installation of who names none; its ids are those from before installations had names. */
export const DEFAULT_INSTALLATION = 'tandem';

/** Where the limits of a subscription key are kept, for all installations on a MongoDB server. */
export const LIMITS_DATABASE = 'tandem-limits';

/** The names that systems have in everything that is kept: they stay, whatever a system is called on a screen. */
const KEPT_NAMES: Readonly<Record<string, string>> = { powerOffice: 'poweroffice', crm: 'crm' };

/** Words that begin ids of the default installation, and databases that are not ours to use. */
const RESERVED = ['link', 'feed', 'world', LIMITS_DATABASE, 'admin', 'local', 'config'];

/** Both ends of a flow: a record type of a system each. */
export type Ends = Readonly<Record<Side, { readonly system: string; readonly type: string }>>;

/** Everything that is named after an installation, so that several live side by side in one namespace and one CRM. */
export interface Installation {
  readonly name: string;
  /** The task queue of its workers. */
  readonly queue: string;
  /** A second workflow for one source record cannot exist. */
  linkWorkflowId(flow: string, sourceId: string): string;
  feedWorkflowId(system: string, type: string): string;
  /** The workflow by which Temporal remembers whose systems the installation keeps in step. */
  readonly worldWorkflowId: string;
  /** The external id that the target of a source record carries: `poweroffice:<Type>:<id>`. */
  externalId(flow: Ends, sourceId: string): string;
  /** Under which a system knows a second try at the same creation again. */
  idempotencyKey(link: string, incarnation: number, revision: number): string;
}

/** What stands in the way of a name for an installation; null where nothing does. */
export function installationProblem(name: string): string | null {
  if (!/^[A-Za-z0-9][A-Za-z0-9-]{0,37}$/.test(name))
    return 'must be 1 to 38 letters, digits and hyphens, beginning with a letter or a digit';
  return RESERVED.includes(name.toLowerCase()) ? `must not be "${name}", which has a meaning of its own` : null;
}

/** The names of an installation. */
export function installationNamed(name: string): Installation {
  const prefix = name === DEFAULT_INSTALLATION ? '' : `${name}:`;
  return {
    name,
    queue: name,
    linkWorkflowId: (flow, sourceId) => `${prefix}link:${flow}:${sourceId}`,
    feedWorkflowId: (system, type) => `${prefix}feed:${system}:${type}`,
    worldWorkflowId: `${prefix}world`,
    externalId: ({ source }, sourceId) =>
      `${prefix}${KEPT_NAMES[source.system] ?? source.system.toLowerCase()}:${source.type}:${sourceId}`,
    idempotencyKey: (link, incarnation, revision) => `${name}:${link}:${incarnation}:${revision}`,
  };
}
