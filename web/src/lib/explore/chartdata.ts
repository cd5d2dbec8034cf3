/** Asks for what a chart draws, also when there are more groups than one answer holds. */

import { ask, columnOf } from '../api/query';
import type { Cell, Filter, Query, QueryResult, Unit } from '../api/types';
import { type Series, isAdditive, pivot, sum, without } from '../charts/pivot';
import { numberOf, others } from '../format';
import { SERIES_MOST } from './state';

export interface ChartData {
  result: QueryResult;
  unit: Unit | null;
  additive: boolean;
  /** Over time: the starts of the steps, in milliseconds; else empty. */
  buckets: number[];
  partial: number;
  /** Over time: by step. Else one value each. */
  series: Series[];
  /** The same measure of the compared range, by step. */
  compared: Cell[] | null;
  /** How many groups are not drawn by themselves. */
  merged: number;
}

/** Answers a chart's question with at most eight series and the others. */
export async function askChart(
  query: Query,
  weekStarts: string,
  signal: AbortSignal,
): Promise<ChartData> {
  const result = await ask(query, signal);
  const measure = query.measures[0] ?? '';
  if (!query.grain) return groups(result, measure);
  if (!result.truncated || !query.dimensions?.length) return overTime(result, query, weekStarts);
  return largest(query, weekStarts, signal);
}

function describe(result: QueryResult, measure: string) {
  const unit = result.columns.find(({ name }) => name === measure)?.unit ?? null;
  return { unit, additive: isAdditive(measure, unit) };
}

function overTime(result: QueryResult, query: Query, weekStarts: string): ChartData {
  const measure = query.measures[0] ?? '';
  const found = pivot(result, {
    measure,
    grain: query.grain ?? 'day',
    weekStarts,
    most: SERIES_MOST,
  });
  let compared: Cell[] | null = null;
  if (query.compare) {
    const time = columnOf(result, 'time').map((cell) => new Date(String(cell)).getTime());
    const cells = columnOf(result, `${measure}_compared`);
    compared = found.buckets.map((start) => cells[time.indexOf(start)] ?? null);
  }
  return { result, ...describe(result, measure), ...found, compared };
}

/** More groups than an answer holds: the largest by themselves, the rest from the whole. */
async function largest(query: Query, weekStarts: string, signal: AbortSignal): Promise<ChartData> {
  const dimensions = query.dimensions ?? [];
  const top = await ask({ ...query, grain: undefined, limit: SERIES_MOST }, signal);
  const filters: Filter[] = dimensions.map((dimension, index) => ({
    dimension,
    op: 'in',
    values: [...new Set(top.rows.map((row) => String(row[index])))],
  }));
  const [some, whole] = await Promise.all([
    ask({ ...query, filters: [...(query.filters ?? []), ...filters] }, signal),
    ask({ ...query, dimensions: [], order: [] }, signal),
  ]);
  const chart = overTime(some, query, weekStarts);
  const names = new Set(top.rows.map((row) => row.slice(0, dimensions.length).join(' · ')));
  const series = chart.series.filter(({ name }) => names.has(name));
  const merged = top.groups - series.length;
  if (chart.additive && merged > 0) {
    const all = overTime(whole, { ...query, dimensions: [] }, weekStarts).series[0];
    const cells = chart.buckets.map((_, at) =>
      without(
        all?.cells[at] ?? '0',
        series.map((one) => one.cells[at]),
      ),
    );
    series.push({ name: others(merged), cells, values: cells.map(numberOf), others: true });
  }
  return { ...chart, result: top, series, merged };
}

const BARS_MOST = 20;

/** One bar per group, the rest in one. */
function groups(result: QueryResult, measure: string): ChartData {
  const { unit, additive } = describe(result, measure);
  const cells = columnOf(result, measure);
  const names = result.columns.filter(({ kind }) => kind === 'dimension').length;
  const all = result.rows.map((row, index) => ({
    name: row.slice(0, names).join(' · ') || 'All',
    cells: [cells[index] ?? null],
  }));
  const shown: { name: string; cells: Cell[]; others?: boolean }[] = all.slice(0, BARS_MOST);
  const merged = result.groups - shown.length;
  if (merged > 0 && additive) {
    const total = result.total[result.columns.findIndex(({ name }) => name === measure)];
    const rest = without(total ?? null, [sum(shown.map((one) => one.cells[0]))]);
    shown.push({ name: others(merged), cells: [rest], others: true });
  }
  const series = shown.map((one) => ({ ...one, values: one.cells.map(numberOf) }));
  return { result, unit, additive, buckets: [], partial: -1, series, compared: null, merged };
}
