import { SEARCH_ATTRIBUTES, WORKFLOWS } from '../flows/names.ts';
import type { View } from './model.ts';

/** Where the Temporal Web UI of an installation is. */
export interface Ui {
  /** Its address, without a slash at the end. */
  readonly base: string;
  readonly namespace: string;
}

/** The Temporal Web UI that the environment names. */
export const uiOf = (env: NodeJS.ProcessEnv, namespace: string): Ui => ({
  base: (env['TEMPORAL_UI_URL'] || 'http://localhost:8233').replace(/\/+$/, ''),
  namespace,
});

const workflowsPage = ({ base, namespace }: Ui): string => `${base}/namespaces/${encodeURIComponent(namespace)}/workflows`;

/** The page of a workflow in the Temporal Web UI. */
export const workflowPage = (ui: Ui, workflowId: string): string => `${workflowsPage(ui)}/${encodeURIComponent(workflowId)}`;

/** Lists of links in the Temporal Web UI: all, blocked, in conflict, and each flow's. */
export function viewsOf(ui: Ui, { queue, flows }: { readonly queue: string; readonly flows: readonly string[] }): View[] {
  const links = `WorkflowType="${WORKFLOWS.link}" AND TaskQueue="${queue}"`;
  const { status, flow } = SEARCH_ATTRIBUTES;
  const parts: [name: string, more: string][] = [
    ['all pairs', ''],
    ['all blocked', ` AND ${status}="blocked"`],
    ['all conflicts', ` AND ${status}="conflict"`],
    ...flows.map((name): [string, string] => [`flow ${name}`, ` AND ${flow}="${name}"`]),
  ];
  return parts.map(([name, more]) => {
    const query = `${links}${more}`;
    return { name, query, url: `${workflowsPage(ui)}?query=${encodeURIComponent(query)}` };
  });
}
