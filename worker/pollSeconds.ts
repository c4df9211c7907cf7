import type { Catalogue } from '../flows/catalogue.ts';
import type { Flow } from '../flows/flow.ts';
import { SIDES } from '../flows/side.ts';

/** A pause for every type, or one for each type that is named. Type names in lower case. */
export type PollSeconds = number | Readonly<Record<string, number>>;

const PRESET_SECONDS = 30;

/** Reads `30`, or `ContactPerson=30,Product=300`; a sentence says what is wrong. */
export function readPollSeconds(text: string): PollSeconds | string {
  const parts = text.split(',').map((part) => part.trim());
  if (parts.length === 1 && !text.includes('=')) {
    const seconds = Number(text);
    if (Number.isNaN(seconds)) return 'is not a number; it means: pause between two looks at a change feed';
    return seconds > 0 ? seconds : 'must be more than 0; it means: pause between two looks at a change feed';
  }
  const byType: Record<string, number> = {};
  for (const part of parts) {
    const [, type, seconds] = /^([^=]+?)\s*=\s*(\d+(?:\.\d+)?)$/.exec(part) ?? [];
    if (type === undefined || !(Number(seconds) > 0))
      return `is not one number, nor a list like ContactPerson=30,Product=300: "${part}" is no type with seconds above 0`;
    byType[type.toLowerCase()] = Number(seconds);
  }
  return byType;
}

/** How long to pause between two looks at a type: as configured, else as its connector advises. */
export function pollSecondsOf(
  configured: PollSeconds | undefined,
  catalogues: readonly Catalogue[],
): (system: string, type: string) => number {
  return (system, type) => {
    if (typeof configured === 'number') return configured;
    const advised = catalogues.find((each) => each.system === system)?.types.find(({ name }) => name === type)?.pollSeconds;
    return configured?.[type.toLowerCase()] ?? advised ?? PRESET_SECONDS;
  };
}

/** The longest pause of all types that take part in flows (s). */
export function longestPause(pollSeconds: (system: string, type: string) => number, flows: readonly Flow[]): number {
  return Math.max(0, ...flows.flatMap((flow) => SIDES.map((side) => pollSeconds(flow[side].system, flow[side].type))));
}

/** Types for which a pause is configured although no system has them, one sentence each. */
export function unknownPauses(configured: PollSeconds | undefined, catalogues: readonly Catalogue[]): string[] {
  if (configured === undefined || typeof configured === 'number') return [];
  const known = catalogues.flatMap(({ types }) => types.map(({ name }) => name));
  return Object.keys(configured)
    .filter((type) => !known.some((name) => name.toLowerCase() === type))
    .map((type) => `TANDEM_POLL_SECONDS names the type "${type}", which neither system has; known are ${known.join(', ')}`);
}
