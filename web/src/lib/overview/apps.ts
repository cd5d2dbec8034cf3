/** The rows of the table of apps: the top ones, what is left, and a total that reconciles. */

import { UNATTRIBUTED, indexOf } from '../api/query';
import type { Cell, QueryResult } from '../api/types';
import { isAdditive, without } from '../charts/pivot';
import { numberOf, others } from '../format';
import type { Sort } from '../ui/table';

export interface AppRow {
  name: string;
  kind: 'app' | 'unattributed' | 'others' | 'total';
  cells: Record<string, Cell>;
  /** Of the whole spend. */
  share: number;
}

const SHARED = 'spend_usd';

/** The top `most` rows in an order, the unattributed row, the others and the total. */
export function appRows(
  result: QueryResult,
  sort: Sort,
  most: number,
): { rows: AppRow[]; total: AppRow } {
  const measures = result.columns.filter(({ kind }) => kind === 'measure');
  const positions = measures.map(({ name }) => ({ name, at: indexOf(result, name) }));
  const cellsOf = (row: Cell[]) =>
    Object.fromEntries(positions.map(({ name, at }) => [name, row[at] ?? null]));
  const whole = numberOf(cellsOf(result.total)[SHARED]) ?? 0;
  const shareOf = (cells: Record<string, Cell>) =>
    whole > 0 ? (numberOf(cells[SHARED]) ?? 0) / whole : 0;
  const make = (name: string, kind: AppRow['kind'], cells: Record<string, Cell>): AppRow => ({
    name,
    kind,
    cells,
    share: shareOf(cells),
  });

  const all = result.rows.map((row) => {
    const name = String(row[0]);
    return make(name, name === UNATTRIBUTED ? 'unattributed' : 'app', cellsOf(row));
  });
  all.sort((a, b) => compare(a, b, sort));
  const known = all.filter(({ kind }) => kind === 'app');
  const unattributed = all.filter(({ kind }) => kind === 'unattributed');
  const shown = known.slice(0, most);
  const rows = [...shown, ...unattributed];
  const left = result.groups - rows.length;
  if (left > 0) {
    const cells = Object.fromEntries(
      measures.map(({ name, unit }) => {
        const parts = rows.map((row) => row.cells[name]);
        const total = result.total[indexOf(result, name)];
        return [name, isAdditive(name, unit) ? without(total, parts) : null];
      }),
    );
    rows.push(make(others(left), 'others', cells));
  }
  return { rows, total: make('Total', 'total', cellsOf(result.total)) };
}

/** What is not known comes last either way. */
function compare(a: AppRow, b: AppRow, { by, desc }: Sort): number {
  if (by === 'name') return desc ? b.name.localeCompare(a.name) : a.name.localeCompare(b.name);
  const one = numberOf(a.cells[by]);
  const other = numberOf(b.cells[by]);
  if (one === null || other === null) return Number(one === null) - Number(other === null);
  return desc ? other - one : one - other;
}
