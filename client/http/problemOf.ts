import { TandemError } from '../../flows/tandemError.ts';
import type { Health } from '../../worker/health.ts';
import { CursorTooOld, NotFound, NotPossible, Unreachable } from '../errors.ts';
import { HttpProblem } from './problem.ts';

/** What an error of the library answers. */
export function problemOf(error: unknown, servers: Health): HttpProblem {
  if (error instanceof NotFound)
    return new HttpProblem(404, error.message, error.nearest === null ? {} : { more: { nearest: error.nearest } });
  if (error instanceof CursorTooOld) return new HttpProblem(410, error.message, { more: { goOnAfter: error.goOnAfter } });
  if (error instanceof NotPossible) return new HttpProblem(409, error.message);
  if (error instanceof TandemError && error.kind === 'input') {
    const errors = error.problems.map(({ where, what }) => ({ at: where ?? '', message: what }));
    return new HttpProblem(400, error.message, { errors });
  }
  if (error instanceof Unreachable) return unavailable(error.message, error);
  const down = servers.blame(error);
  if (!down) return new HttpProblem(500, 'a defect of Tandem; its log has more under the request id');
  return unavailable(`${down.sentence}, since ${down.since}`, { dependency: down.what, since: down.since });
}

function unavailable(
  detail: string,
  { dependency, since }: { readonly dependency: string; readonly since: string | null },
): HttpProblem {
  const headers = { 'retry-after': '5' };
  return new HttpProblem(503, detail, { headers, more: { dependency, ...(since === null ? {} : { since }) } });
}
