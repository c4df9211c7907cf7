import type { DescribedType, Property } from './guess.ts';

/** A property of a draft: as the flows call it, and where it stands. */
export interface NamedProperty extends Property {
  readonly at?: string;
}

const FIRST = /^(first|given|fore)[-_ ]?names?$|^(given|fname|fornavn)$/i;
const LAST = /^(last|family)[-_ ]?name$|^(sur[-_ ]?name|family|lname|etternavn)$/i;
const COMPANY = /^(compan(y|ies)|organi[sz]ation|firm|account|business|customer)$/i;

/** Names of persons as the three flows call them, where a type has both. */
function properties(found: DescribedType): NamedProperty[] {
  const of = (pattern: RegExp): string | undefined => found.properties.find(({ name }) => pattern.test(name))?.name;
  const [first, last] = [of(FIRST), of(LAST)];
  if (first === undefined || last === undefined) return [...found.properties];
  const called: Record<string, string> = { [first]: 'givenName', [last]: 'familyName' };
  return found.properties.map((property) => {
    const name = called[property.name];
    return name === undefined || name === property.name ? property : { ...property, name, at: property.name };
  });
}

/** Types and properties by the names that the flows of the specification know, and what was renamed. */
export function asFlowsCallThem<T extends DescribedType>(found: readonly T[]): { types: T[]; notes: string[] } {
  const notes: string[] = [];
  const isPerson = (type: DescribedType): boolean => properties(type).some(({ name }) => name === 'givenName');
  const has = (name: string): boolean => found.some(({ typeName }) => typeName === name);
  const contact = has('Contact') ? undefined : found.find(isPerson);
  const company = has('Company') ? undefined : found.find(({ typeName }) => COMPANY.test(typeName));
  const types = found.map((type) => {
    const typeName = type === contact ? 'Contact' : type === company ? 'Company' : type.typeName;
    const named = properties(type);
    const renamed = named.flatMap(({ name, at }) => (at === undefined ? [] : [`${at} ${name}`]));
    const calls = [...(typeName === type.typeName ? [] : [`${type.typeName} ${typeName}`]), ...renamed];
    if (calls.length > 0) notes.push(`as the three flows call them: ${calls.join(', ')}`);
    return { ...type, typeName, properties: named };
  });
  return { types, notes };
}
