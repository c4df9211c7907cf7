import data from './description.json' with { type: 'json' };

/** A property of a schema, as OpenAPI writes it. */
export interface SchemaProperty {
  readonly $ref?: string;
  readonly type?: string;
  readonly format?: string;
  readonly maxLength?: number;
  readonly readOnly?: boolean;
  readonly items?: SchemaProperty;
}

/** A schema: an object's properties, or the words of an enumeration. */
export interface ExtractSchema {
  readonly properties?: Readonly<Record<string, SchemaProperty>>;
  readonly required?: readonly string[];
  readonly enum?: readonly string[];
}

/** The provider's own description of its API, as far as Tandem needs it. */
export interface Extract {
  readonly paths: Readonly<
    Record<string, Readonly<Record<string, { readonly parameters?: readonly { readonly name: string }[] }>>>
  >;
  readonly components: { readonly schemas: Readonly<Record<string, ExtractSchema>> };
  /** What a PATCH may name, by type. */
  readonly patchable: Readonly<Record<string, readonly string[]>>;
}

/** Read once a process. The data's own type would be thousands of literals, which nobody needs. */
export const EXTRACT = data as unknown as Extract;

/** The schema that a property refers to, with its name; undefined for a plain property. */
export function referred(property: SchemaProperty): { name: string; schema: ExtractSchema } | undefined {
  const name = property.$ref?.split('/').at(-1);
  const schema = name === undefined ? undefined : EXTRACT.components.schemas[name];
  return name === undefined || !schema ? undefined : { name, schema };
}
