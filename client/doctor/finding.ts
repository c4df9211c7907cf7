import { TandemError } from '../../flows/tandemError.ts';

/** What one look of the doctor found. */
export interface DoctorFinding {
  /** What was looked at: "Temporal", "CRM", "indexes". */
  readonly check: string;
  /** `skipped`: it could not be looked at, because something else failed. */
  readonly state: 'ok' | 'warning' | 'failed' | 'skipped';
  readonly text: string;
  /** What to do next; null where nothing is. */
  readonly advice: string | null;
}

/** Looks at something: what it gives is told, what it throws too. */
export type Say = (finding: DoctorFinding) => void;

export const ok = (check: string, text: string): DoctorFinding => ({ check, state: 'ok', text, advice: null });
export const warning = (check: string, text: string, advice: string): DoctorFinding => ({
  check,
  state: 'warning',
  text,
  advice,
});
export const failed = (check: string, text: string, advice: string): DoctorFinding => ({ check, state: 'failed', text, advice });
export const skipped = (check: string, text: string): DoctorFinding => ({ check, state: 'skipped', text, advice: null });

/** Every problem of an error as a finding. */
export function failures(check: string, error: unknown): DoctorFinding[] {
  if (!(error instanceof TandemError))
    return [failed(check, error instanceof Error ? (error.message.split('\n')[0] ?? '') : String(error), 'see the log')];
  return error.problems.map(({ where, what, next }) =>
    failed(
      check,
      where === undefined || what.includes(where) || next?.includes(where) ? what : `${where}: ${what}`,
      next ?? `mend it, then run \`npx tandem doctor\` again`,
    ),
  );
}
