/** From the rows of an answer to the series of a chart. */

import { UNATTRIBUTED, indexOf } from '../api/query';
import type { Cell, Grain, QueryResult, Unit } from '../api/types';
import { type Decimal, add, parseDecimal, toText } from '../decimal';
import { decimalOf, numberOf, others as othersName } from '../format';
import { bucketsOf } from './buckets';

export interface Series {
  /** The values of the dimensions, joined. */
  name: string;
  /** By bucket; null is not known. */
  cells: Cell[];
  values: (number | null)[];
  /** Everything that is not shown by itself. */
  others?: boolean;
}

export interface Pivot {
  /** The starts of the buckets, in milliseconds. */
  buckets: number[];
  /** Which of them is still going on; -1 for none. */
  partial: number;
  series: Series[];
  /** How many series `others` stands for. */
  merged: number;
}

/** Whether values of this unit can be added up. */
export function isAdditive(measure: string, unit: Unit | null): boolean {
  if (unit !== 'usd' && unit !== 'tokens' && unit !== 'count') return false;
  const distinct = ['tasks', 'active_people', 'active_teams', 'sessions'];
  return !measure.includes('_per_') && !distinct.some((name) => measure.startsWith(name));
}

/** The sum of cells, exact; null when none of them is known. */
export function sum(cells: (Cell | undefined)[]): Cell {
  let total: Decimal | null = null;
  for (const cell of cells) {
    const value = decimalOf(cell);
    if (value) total = total ? add(total, value) : value;
  }
  return total ? toText(total) : null;
}

/** A minus the sum of others, for what a table does not show. */
export function without(total: Cell | undefined, shown: (Cell | undefined)[]): Cell {
  const whole = decimalOf(total);
  const part = parseDecimal(String(sum(shown) ?? '0'));
  if (!whole || !part) return null;
  return toText(add(whole, { digits: -part.digits, scale: part.scale }));
}

interface Options {
  measure: string;
  grain: Grain;
  weekStarts: string;
  /** How many series at most are drawn by themselves. */
  most: number;
  now?: Date;
}

/** Series of one measure over time. Groups without a row in a bucket had no calls there. */
export function pivot(result: QueryResult, options: Options): Pivot {
  const { measure, grain, weekStarts, most } = options;
  const buckets = bucketsOf(result.range, grain, result.time_zone, weekStarts, options.now);
  const positions = new Map(buckets.map((start, index) => [start, index]));
  const at = indexOf(result, measure);
  const time = indexOf(result, 'time');
  const additive = isAdditive(measure, result.columns[at]?.unit ?? null);
  const names = result.columns.flatMap(({ kind }, index) => (kind === 'dimension' ? [index] : []));
  const groups = new Map<string, Cell[]>();
  for (const row of result.rows) {
    const position = positions.get(new Date(String(row[time])).getTime());
    if (position === undefined) continue;
    const name = names.map((index) => String(row[index])).join(' · ');
    let cells = groups.get(name);
    if (!cells) {
      cells = new Array<Cell>(buckets.length).fill(additive ? 0 : null);
      groups.set(name, cells);
    }
    cells[position] = row[at] ?? null;
  }
  const all = [...groups].map(([name, cells]) => series(name, cells));
  all.sort((a, b) => weight(b) - weight(a));
  const shown = all.slice(0, all.length > most ? most : all.length);
  const rest = all.slice(shown.length);
  if (rest.length > 0 && additive) {
    const cells = buckets.map((_, index) => sum(rest.map((one) => one.cells[index])));
    shown.push({ ...series(othersName(rest.length), cells), others: true });
  }
  const partial = result.partial_bucket
    ? (positions.get(new Date(result.partial_bucket).getTime()) ?? -1)
    : -1;
  return { buckets, partial, series: shown, merged: rest.length };
}

function series(name: string, cells: Cell[]): Series {
  return { name, cells, values: cells.map(numberOf) };
}

function weight({ values }: Series): number {
  return values.reduce<number>((total, value) => total + (value ?? 0), 0);
}

const TIERS = ['frontier', 'standard', 'economy'];

/** A colour for a series: fixed for what has an order of its own, else one after the other. */
export function colourOf(name: string, index: number): string {
  if (TIERS.includes(name)) return `var(--tier-${name})`;
  if (name === UNATTRIBUTED || /^[\d,]+ others?$/.test(name)) return 'var(--unknown)';
  if (name === 'production') return 'var(--c1)';
  if (name === 'experimentation') return 'var(--c3)';
  return `var(--c${(index % 8) + 1})`;
}
