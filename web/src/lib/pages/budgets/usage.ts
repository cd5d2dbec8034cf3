/** The calls behind a budget, as questions to the metrics layer. */

import type { BudgetScope, BudgetSpec, BudgetUse, CounterId } from '../../api/budgets';
import { indexOf } from '../../api/query';
import type { Cell, Filter, Grain, Query, QueryResult, Range } from '../../api/types';
import { type Decimal, add, toText } from '../../decimal';
import { decimalOf, numberOf } from '../../format';
import { type BudgetUnit, unitOf } from './amount';
import { counterKey } from './words';

/** Parts of a scope that the metrics layer knows by the same name. */
const DIMENSIONS = [
  'department',
  'cost_center',
  'team',
  'person',
  'workload',
  'workload_class',
  'key',
  'environment',
  'tier',
  'model',
  'provider',
  'task_type',
] as const satisfies (keyof BudgetScope)[];

/** What makes a call count against a counter; null where calls do not say so (job roles). */
export function filtersOf(counter: CounterId, spec: BudgetSpec): Filter[] | null {
  const { scope } = spec;
  if (scope.role) return null;
  const filters: Filter[] = [];
  for (const dimension of DIMENSIONS) {
    const value = scope[dimension];
    if (value) filters.push({ dimension, op: 'eq', values: [value] });
  }
  if (scope.each && counter.each) {
    filters.push({ dimension: scope.each, op: 'eq', values: [counter.each] });
  }
  const apart = Object.keys(spec.environment_limits ?? {});
  if (counter.environment) {
    filters.push({ dimension: 'environment', op: 'eq', values: [counter.environment] });
  } else if (apart.length > 0) {
    filters.push({ dimension: 'environment', op: 'not_in', values: apart });
  }
  return filters;
}

export function measureOf(unit: BudgetUnit, spec: BudgetSpec | undefined): string {
  if (unit === 'usd') return 'spend_usd';
  if (unit === 'requests') return 'calls';
  return spec?.count === 'all' ? 'tokens' : 'tokens_budgeted';
}

/** The pages of calls say filters only as far as they can be said in an address. */
export const windowRange = ({ window_start, window_end }: BudgetUse): Range => ({
  from: new Date(window_start).toISOString(),
  to: new Date(window_end).toISOString(),
});

const HOURLY_DAYS = 4;

/** Days, or hours where the window is short. */
export function grainOf(use: BudgetUse): Grain {
  const ms = new Date(use.window_end).getTime() - new Date(use.window_start).getTime();
  return ms / 86_400_000 <= HOURLY_DAYS ? 'hour' : 'day';
}

export interface Batch {
  query: Query;
  counters: { key: string; filters: Filter[]; measure: string }[];
}

export const SPARK_RANGE = 'last_30_days';
const BATCHES_MAX = 4;
const DIMENSIONS_MAX = 3;
const VALUES_MAX = 200;
const ROWS_MAX = 10_000;

/** One question for all counters that are told apart by the same dimensions. */
export function sparkBatches(
  uses: BudgetUse[],
  specOf: (budget: string) => BudgetSpec | undefined,
): Batch[] {
  const shapes = new Map<string, Batch['counters']>();
  for (const use of uses) {
    const spec = specOf(use.counter.budget);
    const filters = spec && filtersOf(use.counter, spec);
    if (!filters) continue;
    const dimensions = [...new Set(filters.map(({ dimension }) => dimension))].sort();
    if (dimensions.length > DIMENSIONS_MAX) continue;
    const shape = dimensions.join(' ');
    const one = {
      key: counterKey(use.counter),
      filters,
      measure: measureOf(unitOf(use.limit), spec),
    };
    shapes.set(shape, [...(shapes.get(shape) ?? []), one]);
  }
  return [...shapes]
    .sort(([, a], [, b]) => b.length - a.length)
    .slice(0, BATCHES_MAX)
    .map(([shape, counters]) => ({ query: batchQuery(shape, counters), counters }));
}

function batchQuery(shape: string, counters: Batch['counters']): Query {
  const dimensions = shape === '' ? [] : shape.split(' ');
  const narrowing = dimensions.flatMap((dimension): Filter[] => {
    const named = counters.map(({ filters }) =>
      filters.filter((filter) => filter.dimension === dimension && filter.op === 'eq'),
    );
    const values = [...new Set(named.flat().flatMap((filter) => filter.values))].sort();
    const isWhole = named.some((filters) => filters.length === 0);
    return isWhole || values.length > VALUES_MAX ? [] : [{ dimension, op: 'in', values }];
  });
  return {
    measures: [...new Set(counters.map(({ measure }) => measure))].sort(),
    dimensions,
    filters: narrowing,
    range: SPARK_RANGE,
    grain: 'day',
    limit: ROWS_MAX,
  };
}

function holds(filter: Filter, value: Cell): boolean {
  const isIn = filter.values.includes(String(value));
  return filter.op === 'not_in' ? !isIn : isIn;
}

/** Daily use by counter, one value per start of a day. Cut answers say nothing. */
export function sparksOf(batch: Batch, result: QueryResult, days: number[]): Map<string, number[]> {
  const found = new Map<string, number[]>();
  if (result.truncated) return found;
  const time = indexOf(result, 'time');
  const positions = new Map(days.map((start, index) => [start, index]));
  for (const { key, filters, measure } of batch.counters) {
    const columns = filters.map((filter) => ({ filter, at: indexOf(result, filter.dimension) }));
    const measured = indexOf(result, measure);
    const values = days.map(() => 0);
    for (const row of result.rows) {
      const position = positions.get(new Date(String(row[time])).getTime());
      if (position === undefined) continue;
      if (!columns.every(({ filter, at }) => holds(filter, row[at] ?? null))) continue;
      values[position] = (values[position] ?? 0) + (numberOf(row[measured]) ?? 0);
    }
    found.set(key, values);
  }
  return found;
}

/** Running sums, exact. */
export function cumulative(cells: Cell[]): string[] {
  let total: Decimal = { digits: 0n, scale: 0 };
  return cells.map((cell) => {
    const value = decimalOf(cell);
    if (value) total = add(total, value);
    return toText(total);
  });
}
