import type { Command } from 'commander';
import type { DoctorFinding } from '../doctor/finding.ts';
import { print } from './print.ts';

const SIGNS: Readonly<Record<DoctorFinding['state'], string>> = { ok: '✓', warning: '!', failed: '✗', skipped: '-' };

/** A finding for a person: what was found, and what to do. */
export function findingInWords({ check, state, text, advice }: DoctorFinding): string {
  return `${SIGNS[state]} ${check}: ${text}${advice === null ? '' : `\n    what to do: ${advice}`}`;
}

/** `doctor`: looks at everything on which an installation relies, and says what to do. */
export function addDoctorCommand(program: Command): void {
  program
    .command('doctor')
    .description("look at everything on which an installation relies, in a worker's environment, and say what to do")
    .option('--json', 'print JSON')
    .action(async (options: { json?: boolean }) => {
      const { diagnose } = await import('../doctor/doctor.ts');
      // Each finding is said as it is made: a server that does not answer takes its time.
      const { exitCode, ...found } = await diagnose(process.env, (finding) => {
        if (!options.json) console.log(findingInWords(finding));
      });
      const count = (state: DoctorFinding['state']): number => found.findings.filter((each) => each.state === state).length;
      print(options.json, found, () => `${count('ok')} well, ${count('warning')} to be looked at, ${count('failed')} failed`);
      process.exitCode = exitCode;
    });
}
