import { CONNECTED, type Flow } from '../flows/flow.ts';
import { SIDES, type Side } from '../flows/side.ts';
import { RESOURCES } from '../connectors/powerOffice/catalogue.ts';

/** Whether a flow ever writes to one of its sides: values, a record that it makes, or one that it removes. */
function writesTo(flow: Flow, side: Side): boolean {
  const values = flow.properties.some((pair) => pair.direction !== (side === 'target' ? 'toSource' : 'toTarget'));
  const makes = side === 'target' && (flow.relation !== 'match' || CONNECTED.includes(flow.relation));
  const removes = side === 'target' ? flow.onSourceDeleted === 'delete' : flow.onTargetDeleted === 'delete';
  return values || makes || removes;
}

/** What the flows need of PowerOffice and the integration may not do, one sentence a role and type. */
export function missingPrivileges(flows: readonly Flow[], granted: readonly string[]): string[] {
  const has = new Set(granted.map((each) => each.toLowerCase()));
  const lacks = (roles: readonly string[]): boolean => !roles.some((role) => has.has(role.toLowerCase()));
  return RESOURCES.flatMap(({ name, roles }) => {
    const parts = flows.flatMap((flow) =>
      SIDES.filter((side) => flow[side].system === 'powerOffice' && flow[side].type === name).map((side) => ({ flow, side })),
    );
    if (!roles || parts.length === 0) return [];
    const [first = name, ...others] = lacks(roles.read) ? roles.read : roles.write;
    const instead = others.length > 0 ? ` (or ${others.join(', ')})` : '';
    if (lacks(roles.read))
      return [
        `the privilege ${first}${instead} is missing: no ${name} can be read, so nothing happens in ${names(parts.map(({ flow }) => flow))}`,
      ];
    const writing = parts.filter(({ flow, side }) => writesTo(flow, side)).map(({ flow }) => flow);
    if (writing.length === 0 || !lacks(roles.write)) return [];
    return [
      `the privilege ${first}${instead} is missing: PowerOffice will refuse every write to a ${name}, and those links of ${names(writing)} will be blocked`,
    ];
  });
}

const names = (flows: readonly Flow[]): string => [...new Set(flows.map(({ name }) => name))].join(', ');
