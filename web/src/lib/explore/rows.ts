/** Where a cell of the table leads: to the calls it counts. */

import type { Cell, Column, Filter, Grain, QueryResult, Range } from '../api/types';
import { bucketRange } from '../charts/buckets';

export interface Row {
  cells: Cell[];
  isTotal: boolean;
}

/** The filters and the range that hold exactly the calls of a row. */
export function behind(
  result: QueryResult,
  row: Row,
  filters: Filter[],
  range: Range,
  grain: Grain | undefined,
): { filters: Filter[]; range: Range } {
  if (row.isTotal) return { filters, range };
  const own = result.columns.flatMap(({ kind, name }, index): Filter[] =>
    kind === 'dimension' ? [{ dimension: name, op: 'eq', values: [String(row.cells[index])] }] : [],
  );
  const time = result.columns.findIndex(({ kind }) => kind === 'time');
  const start = time < 0 ? null : row.cells[time];
  return {
    filters: [...filters, ...own],
    range:
      start && grain
        ? bucketRange(new Date(String(start)).getTime(), grain, result.time_zone, result.range)
        : range,
  };
}

/** The measures with where their compared values are, if any. */
export function measured(columns: Column[]): { column: Column; at: number; compared: number }[] {
  return columns.flatMap((column, at) =>
    column.kind === 'measure'
      ? [
          {
            column,
            at,
            compared: columns.findIndex(({ name }) => name === `${column.name}_compared`),
          },
        ]
      : [],
  );
}
