/** The tiles of the usage map. */

import { indexOf } from '../api/query';
import type { Cell, QueryResult, UsageEvent } from '../api/types';
import { sum, without } from '../charts/pivot';
import { numberOf } from '../format';

export const MAP_DIMENSIONS = [
  'department',
  'application',
  'model_family',
  'task_type',
  'value_tag',
] as const;

export type MapDimension = (typeof MAP_DIMENSIONS)[number];

export interface Heat {
  rows: { name: string; total: Cell }[];
  columns: { name: string; total: Cell }[];
  /** By row and column; null where there were no calls. */
  tiles: (Cell | null)[][];
  largest: number;
  total: Cell;
  /** What is not among the rows and columns shown. */
  elsewhere: Cell;
}

/** The largest rows and columns of an answer by two dimensions. */
export function heatOf(
  result: QueryResult,
  measure: string,
  most: { rows: number; columns: number },
): Heat {
  const at = indexOf(result, measure);
  const rows = largest(result, 0, at, most.rows);
  const columns = largest(result, 1, at, most.columns);
  const tiles = rows.map(() => new Array<Cell>(columns.length).fill(null));
  for (const row of result.rows) {
    const y = rows.findIndex(({ name }) => name === row[0]);
    const x = columns.findIndex(({ name }) => name === row[1]);
    const line = tiles[y];
    if (line && x >= 0) line[x] = row[at] ?? null;
  }
  const cells = tiles.flat();
  const total = result.total[at] ?? null;
  return {
    rows,
    columns,
    tiles,
    largest: Math.max(0, ...cells.map((cell) => numberOf(cell) ?? 0)),
    total,
    elsewhere: without(total, cells),
  };
}

function largest(result: QueryResult, dimension: number, at: number, most: number) {
  const groups = new Map<string, Cell[]>();
  for (const row of result.rows) {
    const name = String(row[dimension]);
    groups.set(name, [...(groups.get(name) ?? []), row[at] ?? null]);
  }
  return [...groups]
    .map(([name, cells]) => ({ name, total: sum(cells) }))
    .sort((a, b) => (numberOf(b.total) ?? 0) - (numberOf(a.total) ?? 0))
    .slice(0, most);
}

/** How strongly a tile is coloured, 0 to 1; by the root, so that small ones stay visible. */
export function intensity(cell: Cell, largest: number): number {
  const value = numberOf(cell);
  return value === null || largest <= 0 ? 0 : Math.sqrt(value / largest);
}

/** Which tile a call belongs to, by names. */
export function tileOf(event: UsageEvent, rows: string, columns: string): string {
  const of = (dimension: string) => String(event[dimension] ?? 'unattributed');
  return JSON.stringify([of(rows), of(columns)]);
}
