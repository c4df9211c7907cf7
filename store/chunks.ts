import { MongoBulkWriteError, MongoServerError } from 'mongodb';

/** Look-ups are cheapest in lists of about so many keys. */
const CHUNK = 100;
const DUPLICATE = 11000;

/** Whether a unique index refused. */
export const isDuplicate = (error: unknown): error is MongoServerError =>
  error instanceof MongoServerError && error.code === DUPLICATE;

/** Whether nothing but a unique index refused, of many writes at once. */
export const isDuplicateAlone = (error: unknown): boolean =>
  error instanceof MongoBulkWriteError && [error.writeErrors].flat().every(({ code }) => code === DUPLICATE);

/** A long list in parts that a query takes well. */
export function chunks<T>(items: readonly T[]): T[][] {
  const out: T[][] = [];
  for (let i = 0; i < items.length; i += CHUNK) out.push(items.slice(i, i + CHUNK));
  return out;
}
