import { createHash } from 'node:crypto';
import { isNoValue, type Values } from '../../flows/values.ts';
import type { Resource } from './catalogue.ts';

const LONGEST = 50;

/**
 * The reference that a record made by Tandem carries, so that a lost answer is found by one call; null where the type
 * has no field for it, or a flow uses that field itself. It fits the field and a list's filter, which has commas.
 */
export function referenceFor(
  kind: Resource,
  values: Values,
  externalId: string,
): { field: string; filter: string; value: string } | null {
  if (!kind.reference || !isNoValue(values[kind.reference.field] ?? null)) return null;
  const plain = externalId.length <= LONGEST && /^[\w:/.-]+$/.test(externalId);
  const value = plain ? externalId : `tandem:${createHash('sha256').update(externalId).digest('hex').slice(0, 40)}`;
  return { ...kind.reference, value };
}
