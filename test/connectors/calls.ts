import assert from 'node:assert/strict';
import { SystemError, type Failure } from '../../connectors/systemError.ts';
import type { Page } from '../../connectors/connector.ts';

export const OPTIONS = { priority: 'feed' } as const;

/** Every record that a list has. */
export async function all(
  pages: AsyncIterable<Page>,
): Promise<{ id: string; fields: Readonly<Record<string, unknown>>; instant: string; version: string }[]> {
  const records = [];
  for await (const page of pages) records.push(...page.records);
  return records;
}

async function failure(work: Promise<unknown>): Promise<SystemError> {
  try {
    await work;
  } catch (error) {
    if (error instanceof SystemError) return error;
    throw error;
  }
  throw new assert.AssertionError({ message: 'no failure' });
}
/** The error of a call that must fail in this way. */
export const failsAs = async (work: Promise<unknown>, expected: Failure): Promise<SystemError> => {
  const error = await failure(work);
  assert.equal(error.failure, expected, error.text);
  return error;
};

/** The most calls that any second saw, wherever it begins. */
export function mostInASecond(at: readonly number[]): number {
  const sorted = at.toSorted((a, b) => a - b);
  return Math.max(0, ...sorted.map((start, i) => sorted.slice(i).filter((each) => each < start + 1000).length));
}
