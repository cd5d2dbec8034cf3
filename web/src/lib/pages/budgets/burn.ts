/** The course of a budget's window: what was used day by day, and where it leads. */

import type { BudgetUse } from '../../api/budgets';
import { indexOf } from '../../api/query';
import type { Cell, Grain, QueryResult } from '../../api/types';
import { bucketsOf } from '../../charts/buckets';
import { toNumber } from '../../decimal';
import { numberOf } from '../../format';
import { decimalOfLimit } from './amount';
import { cumulative } from './usage';

export interface Burn {
  /** The starts of all steps of the window, also of those to come. */
  starts: number[];
  /** By step, as far as they have begun. */
  cells: Cell[];
  /** Running sums, exact. */
  sums: string[];
  /** Which step is still going on; -1 for none. */
  partial: number;
  from: number;
  to: number;
  /** The line from now to the end of the window, as numbers; null where nothing is projected. */
  projection: { from: [at: number, value: number]; to: [at: number, value: number] } | null;
  limit: number;
  ceiling: number | null;
  /** The highest value there is to draw. */
  top: number;
}

export function burnOf(
  use: BudgetUse,
  result: QueryResult,
  options: { measure: string; grain: Grain; weekStarts: string; now?: Date },
): Burn {
  const { measure, grain, weekStarts, now = new Date() } = options;
  const from = new Date(use.window_start).getTime();
  const to = new Date(use.window_end).getTime();
  const range = { ...result.range, from: use.window_start, to: use.window_end };
  const starts = bucketsOf(range, grain, result.time_zone, weekStarts, new Date(to));
  const begun = starts.filter((start) => start <= now.getTime()).length;
  const positions = new Map(starts.map((start, index) => [start, index]));
  const time = indexOf(result, 'time');
  const measured = indexOf(result, measure);
  const cells: Cell[] = starts.slice(0, begun).map(() => 0);
  for (const row of result.rows) {
    const at = positions.get(new Date(String(row[time])).getTime());
    if (at !== undefined && at < begun) cells[at] = row[measured] ?? null;
  }
  const sums = cumulative(cells);
  const used = numberOf(sums.at(-1)) ?? 0;
  const limit = toNumber(decimalOfLimit(use.limit));
  const ceiling = use.ceiling ? toNumber(decimalOfLimit(use.ceiling)) : null;
  const projected = use.projected ? toNumber(decimalOfLimit(use.projected)) : null;
  const present = Math.min(now.getTime(), to);
  return {
    starts,
    cells,
    sums,
    partial: result.partial_bucket
      ? (positions.get(new Date(result.partial_bucket).getTime()) ?? -1)
      : -1,
    from,
    to,
    projection:
      projected !== null && present < to && projected >= used
        ? { from: [present, used], to: [to, projected] }
        : null,
    limit,
    ceiling,
    top: Math.max(limit, ceiling ?? 0, used, projected ?? 0),
  };
}
