import type { Message } from './receive.ts';

const isSide = (side: unknown): boolean => side === 'source' || side === 'target';
const isObject = (value: unknown): value is Record<string, unknown> => typeof value === 'object' && value !== null;

const SOUND: Readonly<Record<Message['kind'], (message: Record<string, unknown>) => boolean>> = {
  observed: ({ side, id, seen }) => isSide(side) && typeof id === 'string' && isObject(seen) && isObject(seen['values']),
  vanished: ({ side }) => isSide(side),
  link: ({ id }) => typeof id === 'string',
  settle: ({ property }) => typeof property === 'string',
  sync: () => true,
  retry: () => true,
  pause: () => true,
  resume: () => true,
  unlink: () => true,
  relink: () => true,
};

/** Whether something is a message: the Temporal UI lets anybody send anything, and what is none must not stop a link. */
export function isMessage(sent: unknown): sent is Message {
  if (!isObject(sent) || typeof sent['kind'] !== 'string' || !Object.hasOwn(SOUND, sent['kind'])) return false;
  return SOUND[sent['kind'] as Message['kind']](sent);
}
