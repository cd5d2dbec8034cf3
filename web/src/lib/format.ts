/** Numbers and times as people read them, always with the exact value at hand. */

import type { Cell, Unit } from './api/types';
import { type Decimal, grouped, parseDecimal, rescale, toFixed, toNumber, toText } from './decimal';

export const NONE = '–';

const STEPS: [bigint, string][] = [
  [1_000_000_000_000_000n, 'P'],
  [1_000_000_000_000n, 'T'],
  [1_000_000_000n, 'B'],
  [1_000_000n, 'M'],
  [1_000n, 'k'],
];

function magnitude(value: Decimal): Decimal {
  return value.digits < 0n ? { ...value, digits: -value.digits } : value;
}

/** A decimal from any numeric cell. */
export function decimalOf(cell: Cell | undefined): Decimal | null {
  if (cell === null || cell === undefined || cell === '') return null;
  if (typeof cell === 'number') {
    if (!Number.isFinite(cell)) return null;
    // Twelve decimals are what money has; exponents are no decimals.
    return parseDecimal(cell.toFixed(Number.isInteger(cell) ? 0 : 12));
  }
  return parseDecimal(cell);
}

/** For positions and lengths on a chart; null stays unknown. */
export function numberOf(cell: Cell | undefined): number | null {
  const value = decimalOf(cell);
  return value ? toNumber(value) : null;
}

/** Three significant digits: 1.23M, 45.6k, 789. */
function compacted(value: Decimal): string | null {
  const size = magnitude(value);
  for (const [step, suffix] of STEPS) {
    const scaled: Decimal = { digits: size.digits, scale: size.scale + step.toString().length - 1 };
    // 999.95k is 1.00M: look at what would be shown, not at what is.
    if (rescale(scaled, 3).digits < 1_000n) continue;
    const whole = rescale(scaled, 0).digits;
    const decimals = whole >= 100n ? 0 : rescale(scaled, 1).digits >= 100n ? 1 : 2;
    return `${value.digits < 0n ? '-' : ''}${grouped(toFixed(scaled, decimals))}${suffix}`;
  }
  return null;
}

/** How many decimals money of this size needs to say something. */
export function moneyDecimals(size: number): number {
  if (size === 0 || size >= 1) return 2;
  if (size >= 0.01) return 4;
  return size >= 0.0001 ? 6 : 8;
}

function signed(fixed: string, prefix: string): string {
  return fixed.startsWith('-') ? `−${prefix}${fixed.slice(1)}` : prefix + fixed;
}

/** $12.4k, $3.21, $0.0042 */
export function money(cell: Cell | undefined, decimals?: number): string {
  const value = decimalOf(cell);
  if (!value) return NONE;
  if (decimals !== undefined) return signed(grouped(toFixed(value, decimals)), '$');
  const size = magnitude(value);
  const big = toNumber(size) >= 10_000 ? compacted(value) : null;
  return signed(big ?? grouped(toFixed(value, moneyDecimals(toNumber(size)))), '$');
}

/** For a tile: never more than two decimals. */
export function moneyRough(cell: Cell | undefined): string {
  const size = Math.abs(numberOf(cell) ?? 0);
  if (size > 0 && size < 0.005) return '<$0.01';
  return size >= 10_000 ? money(cell) : money(cell, size >= 1_000 ? 0 : 2);
}

/** Every digit there is. */
export function moneyExact(cell: Cell | undefined): string {
  const value = decimalOf(cell);
  if (!value) return 'not known';
  const text = toText(value);
  const decimals = Math.max(2, text.split('.')[1]?.length ?? 0);
  return `${signed(grouped(toFixed(value, decimals)), '$')} USD`;
}

/** 1.23M; below ten thousand the number itself. */
export function count(cell: Cell | undefined): string {
  const value = decimalOf(cell);
  if (!value) return NONE;
  const size = magnitude(value);
  const big = toNumber(size) >= 10_000 ? compacted(value) : null;
  return signed(big ?? countExact(cell), '');
}

export function countExact(cell: Cell | undefined): string {
  const value = decimalOf(cell);
  return value ? signed(grouped(toText(value)), '') : 'not known';
}

/** A mean: 1,234.5 */
export function plain(cell: Cell | undefined): string {
  const value = decimalOf(cell);
  if (!value) return NONE;
  const size = Math.abs(toNumber(value));
  if (size >= 10_000) return count(cell);
  return grouped(toFixed(value, size >= 100 ? 0 : size >= 1 ? 1 : 3));
}

/** 0.0372 → 3.7 % */
export function ratio(cell: Cell | undefined, decimals = 1): string {
  const value = decimalOf(cell);
  if (!value) return NONE;
  return `${toFixed({ digits: value.digits * 100n, scale: value.scale }, decimals)}\u202f%`;
}

/** 812 ms, 3.4 s, 2 m 05 s */
export function ms(cell: Cell | undefined): string {
  const value = numberOf(cell);
  if (value === null) return NONE;
  if (value < 999.5) return `${Math.round(value)}\u202fms`;
  if (value < 9_950) return `${(value / 1_000).toFixed(2)}\u202fs`;
  if (value < 59_950) return `${(value / 1_000).toFixed(1)}\u202fs`;
  const seconds = Math.round(value / 1_000);
  return `${Math.floor(seconds / 60)}\u202fm ${String(seconds % 60).padStart(2, '0')}\u202fs`;
}

/** A cell of a measure, short. */
export function short(cell: Cell | undefined, unit: Unit | null): string {
  switch (unit) {
    case 'usd':
      return money(cell);
    case 'tokens':
    case 'count':
      return count(cell);
    case 'ratio':
      return ratio(cell);
    case 'milliseconds':
      return ms(cell);
    case 'number':
      return plain(cell);
    default:
      return cell === null || cell === undefined ? NONE : String(cell);
  }
}

/** A value of an axis: round, so without decimals that say nothing. */
export function axisText(value: number, unit: Unit | null): string {
  const text = value === 0 && unit !== 'usd' ? '0' : short(value, unit);
  return text.replace(/\.0+(?=\D*$)/, '').replace(/(\.\d\d)00(?=\D*$)/, '$1');
}

/** 1 other, 12 others */
export function others(count: number): string {
  return `${countExact(count)} ${count === 1 ? 'other' : 'others'}`;
}

/** A cell of a measure with every digit, for the title. */
export function exact(cell: Cell | undefined, unit: Unit | null): string {
  if (cell === null || cell === undefined) return 'not known';
  switch (unit) {
    case 'usd':
      return moneyExact(cell);
    case 'tokens':
      return `${countExact(cell)} tokens`;
    case 'count':
      return countExact(cell);
    case 'ratio':
      return ratio(cell, 4);
    case 'milliseconds':
      return `${countExact(cell)} ms`;
    default:
      return String(cell);
  }
}

/** Enough decimals for most of a column, but no cents of cents beside hundreds. */
function columnDecimals(cells: Cell[]): number {
  const sizes = cells.map((cell) => Math.abs(numberOf(cell) ?? 0)).filter((size) => size > 0);
  sizes.sort((a, b) => a - b);
  const middle = sizes[Math.floor(sizes.length / 2)] ?? 0;
  return (sizes.at(-1) ?? 0) >= 100 ? 2 : moneyDecimals(middle);
}

/** A formatter for a whole column: one number of decimals, whole counts. */
export function columnFormat(unit: Unit | null, cells: Cell[]): (cell: Cell | undefined) => string {
  if (unit === 'usd') {
    const decimals = columnDecimals(cells);
    return (cell) => money(cell, decimals);
  }
  if (unit === 'tokens' || unit === 'count') {
    return (cell) => (decimalOf(cell) ? countExact(cell) : NONE);
  }
  return (cell) => short(cell, unit);
}

/** How much something changed: +12.3 %, or why that cannot be said. */
export function change(now: Cell | undefined, before: Cell | undefined): string | null {
  const a = numberOf(now);
  const b = numberOf(before);
  if (a === null || b === null) return null;
  if (b === 0) return a === 0 ? '±0\u202f%' : 'new';
  const share = (a - b) / Math.abs(b);
  if (Math.abs(share) >= 10) return `×${plain(a / b)}`;
  const text = `${(Math.abs(share) * 100).toFixed(1)}\u202f%`;
  if (text === '0.0\u202f%') return '±0\u202f%';
  return (share > 0 ? '+' : '−') + text;
}

/** What a code of the vocabulary is called: `cache_read` → `cache read`. */
export function words(code: string): string {
  return code.replaceAll('_', ' ');
}
