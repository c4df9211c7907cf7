import { instantMs, isInstant } from '../../../flows/instant.ts';
import type { Stamps } from './resolve.ts';
import { isPattern, patternGrain, readPattern, writePattern } from './pattern.ts';
import type { StampFormat } from './schema.ts';

const OFFSET = /^[+-]\d\d:\d\d$/;
const ODATA = /^\/Date\((-?\d+)(?:[+-]\d{4})?\)\/$/;
const DAY = /^\d{4}-\d\d-\d\d$/;
const NAMES_ZONE = /(?:Z|[+-]\d\d:?\d\d)$/i;

/** Whether a zone can be reckoned with: an offset, or a name. */
export function isZone(zone: string): boolean {
  if (OFFSET.test(zone)) return true;
  try {
    return new Intl.DateTimeFormat('en', { timeZone: zone }).format(0) !== '';
  } catch {
    return false;
  }
}

/** By how much a zone is ahead of UTC at an instant (ms). */
function ahead(zone: string, at: number): number {
  if (OFFSET.test(zone)) {
    const [hours = 0, minutes = 0] = zone.slice(1).split(':').map(Number);
    return (zone.startsWith('-') ? -1 : 1) * (hours * 60 + minutes) * 60_000;
  }
  const parts = new Intl.DateTimeFormat('en-GB', {
    timeZone: zone,
    hourCycle: 'h23',
    year: 'numeric',
    month: '2-digit',
    day: '2-digit',
    hour: '2-digit',
    minute: '2-digit',
    second: '2-digit',
  }).formatToParts(at);
  const of = (type: string): number => Number(parts.find((part) => part.type === type)?.value);
  const local = Date.UTC(of('year'), of('month') - 1, of('day'), of('hour'), of('minute'), of('second'));
  return local - Math.floor(at / 1000) * 1000;
}

/** A stamp as a record shows it, as an ISO instant; null where it is none. Digits are kept where the text is an instant already. */
export function instantOf(stamp: unknown, { format, zone }: Pick<Stamps, 'format' | 'zone'>): string | null {
  if (format === 'seconds' || format === 'ms') {
    const number = typeof stamp === 'string' && stamp.trim() !== '' ? Number(stamp) : stamp;
    if (typeof number !== 'number' || !Number.isFinite(number)) return null;
    const at = new Date(format === 'seconds' ? number * 1000 : number);
    return Number.isNaN(at.getTime()) ? null : at.toISOString();
  }
  if (isPattern(format)) return patternInstant(stamp, format, zone);
  if (typeof stamp !== 'string' || stamp === '') return null;
  if (format === 'odata') {
    const at = ODATA.exec(stamp)?.[1];
    if (at !== undefined) return new Date(Number(at)).toISOString();
  }
  if (format === 'http') return Number.isNaN(Date.parse(stamp)) ? null : new Date(Date.parse(stamp)).toISOString();
  const text = DAY.test(stamp) ? `${stamp}T00:00:00` : stamp;
  if (!isInstant(text)) return null;
  if (NAMES_ZONE.test(text) || zone === '+00:00') return text;
  return inUtc(text, zone);
}

/** Local time: reckoned as UTC first, then moved by what the zone was ahead then. */
function inUtc(text: string, zone: string): string {
  const local = instantMs(text);
  const offset = ahead(zone, local - ahead(zone, local));
  return new Date(Math.floor(local) - offset).toISOString();
}

function patternInstant(stamp: unknown, pattern: string, zone: string): string | null {
  const text = typeof stamp === 'string' || typeof stamp === 'number' ? readPattern(pattern, String(stamp)) : null;
  if (text === null) return null;
  return pattern.includes('Z') ? `${text}Z` : inUtc(text, zone);
}

/** In which of the usual formats a stamp can be read; null where in none. */
export function formatThatReads(stamp: unknown): StampFormat | null {
  const number =
    typeof stamp === 'number' || (typeof stamp === 'string' && /^\d{9,14}(\.\d+)?$/.test(stamp)) ? Number(stamp) : null;
  // Seconds of this century have ten digits, milliseconds thirteen.
  if (number !== null) return number > 1e11 ? 'ms' : number > 1e8 ? 'seconds' : null;
  if (typeof stamp !== 'string') return null;
  if (ODATA.test(stamp)) return 'odata';
  if (isInstant(stamp)) return /^\S+ /.test(stamp.trim()) ? 'iso-blank' : 'iso';
  if (DAY.test(stamp)) return 'date';
  return /^[A-Z][a-z]{2}, \d\d [A-Z][a-z]{2} \d{4} /.test(stamp) && !Number.isNaN(Date.parse(stamp)) ? 'http' : null;
}

/** The end of a unit of the filter's grain is lost in writing it; so many ms each. */
function grainOf(stamps: Stamps): number {
  const format = stamps.sinceFormat ?? stamps.format;
  const least = isPattern(format)
    ? patternGrain(format)
    : format === 'date'
      ? 86_400_000
      : format === 'seconds' || format === 'http'
        ? 1000
        : 1;
  const decimals = stamps.decimals ?? 3;
  return Math.max(stamps.grainMs, least, decimals >= 3 ? 1 : 10 ** (3 - decimals));
}

/** The instant (ms) that a filter can name and that is not after `at`. */
export function floored(at: number, stamps: Stamps): number {
  const grain = grainOf(stamps);
  // Days begin where the zone has its midnight.
  const moved = grain >= 86_400_000 ? ahead(stamps.zone, at) : 0;
  return Math.floor((at + moved) / grain) * grain - moved;
}

/** The instant before `at` that a filter can name. */
export const stepBefore = (at: number, stamps: Stamps): number => floored(floored(at, stamps) - 1, stamps);

/** An instant (ms) as a system's change filter takes it. */
export function stampText(at: number, stamps: Stamps, as: StampFormat = stamps.sinceFormat ?? stamps.format): string {
  if (as === 'seconds') return String(Math.floor(at / 1000));
  if (as === 'ms') return String(Math.floor(at));
  if (as === 'odata') return `/Date(${Math.floor(at)})/`;
  if (as === 'http') return new Date(at).toUTCString();
  if (isPattern(as)) return writePattern(as, new Date(Math.floor(at) + (as.includes('Z') ? 0 : ahead(stamps.zone, at))));
  const utc = stamps.writeZone;
  const text = new Date(Math.floor(at) + (utc && as !== 'date' ? 0 : ahead(stamps.zone, at))).toISOString();
  if (as === 'date') return text.slice(0, 10);
  const decimals = stamps.decimals ?? (stamps.grainMs >= 1000 ? 0 : 3);
  const fraction = decimals === 0 ? '' : `.${text.slice(20, 23).padEnd(decimals, '0').slice(0, decimals)}`;
  return `${text.slice(0, 10)}${as === 'iso-blank' ? ' ' : 'T'}${text.slice(11, 19)}${fraction}${utc ? 'Z' : ''}`;
}
