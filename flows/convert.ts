import { isNoValue, type Value } from './values.ts';

/** The data types that a property pair can carry. `none` copies the value as it is. */
export const DATA_TYPES = ['string', 'integer', 'float', 'boolean', 'decimal', 'list', 'first', 'none'] as const;
export type DataType = (typeof DATA_TYPES)[number];

/** A value that cannot be expressed in the pair's type. The message names the type and never quotes the value. */
export class ConversionError extends Error {
  override readonly name = 'ConversionError';
}

const INTEGER = /^[+-]?\d+$/;
const DECIMAL = /^[+-]?(\d+)(\.\d+)?$/;

function fail(type: DataType, value: Value): never {
  throw new ConversionError(`a ${Array.isArray(value) ? 'list' : typeof value} that is no ${type}`);
}

/** Plain digits without exponent, sign kept, trailing zeros dropped: two spellings of one decimal become one. */
function canonicalDecimal(text: string): string {
  const match = DECIMAL.exec(text.trim());
  if (!match) return fail('decimal', text);
  const negative = text.trim().startsWith('-');
  const whole = (match[1] ?? '0').replace(/^0+(?=\d)/, '');
  const rest = (match[2] ?? '').replace(/\.?0+$/, '');
  return (negative && !/^0*$/.test(whole + rest.replace('.', '')) ? '-' : '') + whole + rest;
}

/** A number in plain digits, never with an exponent. */
export function decimalText(value: number): string {
  const text = String(value);
  const match = /^(-?)(\d)(?:\.(\d+))?e([+-]\d+)$/.exec(text);
  if (!match) return text;
  const [, sign = '', head = '', tail = '', exponent = '0'] = match;
  const shift = Number(exponent);
  if (shift > 0) return sign + (head + tail).padEnd(shift + 1, '0');
  return `${sign}0.${'0'.repeat(-shift - 1)}${head}${tail}`;
}

/**
 * Expresses `value` in the data type that the receiving side takes.
 * Throws ConversionError where that loses something (`"12a"` as an integer, 0.5 as a boolean).
 */
export function convert(value: Value | undefined, type: DataType): Value {
  if (value === undefined || isNoValue(value)) return null;
  if (type === 'none') return value;
  if (type === 'list') return Array.isArray(value) ? value : [value];
  if (type === 'first') return Array.isArray(value) ? (value[0] ?? null) : value;
  if (Array.isArray(value)) return value.length === 1 ? convert(value[0], type) : value.length === 0 ? null : fail(type, value);
  switch (type) {
    case 'string':
      return String(value);
    case 'integer': {
      const text = String(value).trim();
      const number = Number(text);
      return INTEGER.test(text) && Number.isSafeInteger(number) ? number : fail(type, value);
    }
    case 'float': {
      const number = typeof value === 'string' ? Number(value.trim() || Number.NaN) : Number(value);
      return typeof value !== 'boolean' && Number.isFinite(number) ? number : fail(type, value);
    }
    case 'decimal':
      return typeof value === 'boolean'
        ? fail(type, value)
        : canonicalDecimal(typeof value === 'number' ? decimalText(value) : String(value));
    case 'boolean': {
      if (typeof value === 'boolean') return value;
      const text = String(value).trim().toLowerCase();
      if (text === 'true' || text === '1') return true;
      return text === 'false' || text === '0' ? false : fail(type, value);
    }
  }
}

/** The target's value as the source takes it. What a list holds besides its first element stays. */
export function convertBack(
  pair: { readonly type: DataType; readonly back?: DataType },
  value: { readonly source: Value; readonly target: Value },
): Value {
  if (pair.type === 'first' && Array.isArray(value.source)) {
    const rest = (value.source as readonly Value[]).slice(1);
    return isNoValue(value.target) && rest.length === 0 ? [] : [value.target, ...rest];
  }
  return convert(value.target, pair.back ?? pair.type);
}
