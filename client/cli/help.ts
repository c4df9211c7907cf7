import type { Command } from 'commander';

/** What an argument is, whatever command takes it. */
const ARGUMENTS: Readonly<Record<string, string>> = {
  flow: 'name of a flow; `tandem flows` prints them',
  'source-id': "id of the source record, as `tandem links` prints it; a contact person's is 12/345",
  'target-id': 'id of the target record',
  'history-id': 'id of a change, as `tandem show` prints it',
  'property=choice': 'a property and what it is to be: source, target, or another value',
  'flow-or-system': 'name of a flow, or powerOffice, or crm',
  type: 'record type: Product, ContactPerson, Supplier, … or Contact, Company',
  id: 'id of the record',
  'property=value': 'a property and its new value; nothing after = clears it',
  system: 'powerOffice or crm',
  file: 'path of the file',
  url: 'base address of the CRM',
  name: 'whose token it is, as the audit of steering calls shows it',
  kind: 'what goes wrong: status, drop-before, drop-after, truncate, html, slow, empty',
};

/** What to type, by command. */
const EXAMPLES: Readonly<Record<string, readonly string[]>> = {
  worker: ['worker', 'worker --apply-plan plan.json'],
  flows: ['flows', 'flows --json'],
  'flows read': ['flows read hub.rst'],
  'flows write': ['flows write running.rst'],
  verify: ['verify --flow contactperson-contact --html report.html', 'verify --active contactperson-contact:12/345'],
  plan: ['plan', 'plan --out plan.json'],
  status: ['status', 'status --json'],
  links: ['links --status blocked', 'links --flow contactperson-contact --limit 10'],
  show: ['show contactperson-contact 12/345', 'show contactperson-contact 12/345 --history 100'],
  sync: ['sync contactperson-contact 12/345 --wait', 'sync --all'],
  conflicts: ['conflicts', 'conflicts --flow contactperson-contact'],
  resolve: ['resolve contactperson-contact 12/345 LastName=target', 'resolve contactperson-contact 12/345 LastName=Lie'],
  restore: ['restore contactperson-contact 12/345 2:givenName'],
  retry: ['retry', 'retry --flow contactperson-contact --reason "too long"'],
  pause: ['pause contactperson-contact 12/345', 'pause crm'],
  resume: ['resume contactperson-contact 12/345', 'resume crm'],
  link: ['link contactperson-contact 12/345 c77'],
  unlink: ['unlink contactperson-contact 12/345'],
  relink: ['relink contactperson-contact 12/345'],
  approve: ['approve contactperson-contact'],
  withdraw: ['withdraw contactperson-contact'],
  rebuild: ['rebuild'],
  replay: ['replay', 'replay --each 50 --json'],
  'remove flow': ['remove flow supplierperson-contact --keep-data', 'remove flow supplierperson-contact --delete-data --json'],
  'remove installation': ['remove installation --delete-data'],
  renew: ['renew', 'renew --flow contactperson-contact --rate 50'],
  serve: ['serve', 'serve --port 8443 --only hooks'],
  'token new': ['token new billing --right steer'],
  tail: ['tail', 'tail --after 1200 --json'],
  doctor: ['doctor', 'doctor --json'],
  migrate: ['migrate'],
  'profile check': ['profile check crm-profile.json --read-only', 'profile check pocketbase --type Company'],
  'profile init': ['profile init https://crm.example.com/api --out crm-profile.json'],
  'profile show': ['profile show', 'profile show directus'],
  'profile schema': ['profile schema'],
  'sandbox edit': ['sandbox edit ContactPerson 501/2001 FirstName=Eva', 'sandbox edit Contact c77 familyName=Lie'],
  'sandbox create': ['sandbox create ContactPerson ContactId=501 FirstName=Eva LastName=Lie'],
  'sandbox delete': ['sandbox delete ContactPerson 501/2001'],
  'sandbox list': ['sandbox list Contact'],
  'sandbox fault': ['sandbox fault crm status --status 503 --times 3', 'sandbox fault powerOffice slow --path ContactPersons'],
};

/** Exit codes of commands to which they mean more; a command that tells its own in its help is left out. */
const EXITS: Readonly<Record<string, string>> = {
  worker: '0 stopped as asked; 1 failed; 2 bad configuration, a refused key, or another world',
  sync: '0 done; 1 failed, or the link is blocked or in conflict; 2 bad input, or not done in time',
  replay: '0 all replay; 1 failed, or some would break; 2 bad configuration or bad input',
  renew: '0 done; 1 failed, or links still have their old history; 2 bad configuration or bad input',
  doctor: '0 nothing failed; 1 something did; 2 the configuration does not stand',
  verify: '',
  'profile check': '',
};
const EXIT = '0 done; 1 failed; 2 bad configuration or bad input';

/** Gives every command's help what its arguments mean, an example, and its exit codes. */
export function addHelp(program: Command, before = ''): void {
  for (const command of program.commands) {
    const name = `${before}${command.name()}`;
    for (const argument of command.registeredArguments) argument.description ||= ARGUMENTS[argument.name()] ?? '';
    if (command.commands.length > 0) addHelp(command, `${name} `);
    const examples = EXAMPLES[name];
    const parts = [
      ...(examples ? [['Examples:', ...examples.map((each) => `  npx tandem ${each}`)].join('\n')] : []),
      ...(EXITS[name] === '' ? [] : [`Exit codes: ${EXITS[name] ?? EXIT}.`]),
    ];
    if (parts.length > 0) command.addHelpText('after', `\n${parts.join('\n\n')}`);
  }
}
