/** Usage by person or by team: one answer of the metrics layer as rows of a table. */

import { UNATTRIBUTED, indexOf } from '../../api/query';
import type { Cell, Filter, Query, QueryResult, Range } from '../../api/types';
import type { Sort } from '../../ui/table';

export type Dimension = 'person' | 'team';

/** As many as one answer holds. */
export const GROUPS_MAX = 10_000;

export interface GroupRow {
  name: string;
  /** By measure. */
  cells: Record<string, Cell>;
}

export const MEASURES: Record<Dimension, string[]> = {
  person: ['spend_usd', 'tokens', 'calls', 'cost_per_successful_task_usd'],
  team: ['spend_usd', 'tokens', 'calls', 'cost_per_successful_task_usd', 'active_people'],
};

export function groupsQuery(
  dimension: Dimension,
  range: Range,
  filters: Filter[],
  sort: Sort,
): Query {
  const by = sort.by === 'name' ? dimension : sort.by;
  return {
    measures: MEASURES[dimension],
    dimensions: [dimension],
    filters,
    range,
    order: [{ by, desc: sort.desc }],
    limit: GROUPS_MAX,
  };
}

function cellsOf(result: QueryResult, row: Cell[]): Record<string, Cell> {
  return Object.fromEntries(result.columns.map((column, at) => [column.name, row[at] ?? null]));
}

/** The rows as answered, with what nobody is known for at the end. */
export function rowsOf(result: QueryResult, dimension: Dimension): GroupRow[] {
  const at = indexOf(result, dimension);
  const rows = result.rows.map((row) => ({
    name: String(row[at] ?? UNATTRIBUTED),
    cells: cellsOf(result, row),
  }));
  const known = rows.filter((row) => row.name !== UNATTRIBUTED);
  return [...known, ...rows.filter((row) => row.name === UNATTRIBUTED)];
}

export function totalRow(result: QueryResult): GroupRow {
  return { name: 'Total', cells: cellsOf(result, result.total) };
}

/** Whether a name or what it is called holds all the words of a search. */
export function matches(search: string, ...texts: (string | undefined)[]): boolean {
  const hay = texts.filter(Boolean).join(' ').toLowerCase();
  return search
    .toLowerCase()
    .split(/\s+/)
    .every((word) => hay.includes(word));
}
