/** What the explore page asks and shows, as its address says it. */

import type { Compare, Filter, Grain, Query, Range } from '../api/types';
import { grainFor } from '../charts/buckets';
import type { Sort } from '../ui/table';
import type { CompareChoice } from '../urlstate';

export type ChartKind = 'line' | 'area' | 'bars' | 'table';
export type GrainChoice = Grain | 'auto' | 'none';

export interface Explore {
  measures: string[];
  by: string[];
  grain: GrainChoice;
  chart: ChartKind;
  /** The measure that is drawn. */
  show: string;
  /** Whether the table has a row per step of time or one per group. */
  rows: 'time' | 'total';
  sort: Sort | null;
  page: number;
}

export const PAGE_ROWS = 100;
export const SERIES_MOST = 8;
export const CHARTS: { name: ChartKind; label: string }[] = [
  { name: 'line', label: 'Line' },
  { name: 'area', label: 'Area' },
  { name: 'bars', label: 'Bars' },
  { name: 'table', label: 'Table only' },
];
export const GRAINS: { value: GrainChoice; label: string }[] = [
  { value: 'auto', label: 'Steps that fit' },
  { value: 'quarter_hour', label: 'Quarter-hours' },
  { value: 'hour', label: 'Hours' },
  { value: 'day', label: 'Days' },
  { value: 'week', label: 'Weeks' },
  { value: 'month', label: 'Months' },
  { value: 'quarter', label: 'Quarters' },
  { value: 'year', label: 'Years' },
  { value: 'none', label: 'The whole range' },
];

const MEASURES_MOST = 16;
const DIMENSIONS_MOST = 6;
const NAME = /^[a-z0-9_]+$/;
/** Within what one query may answer. */
const PAGES_MOST = 2_000;

/** Reads the page's own part of the address; what makes no sense is left out. */
export function readExplore(parameters: URLSearchParams): Explore {
  const list = (name: string, most: number) =>
    [...new Set((parameters.get(name) ?? '').split(',').filter(Boolean))].slice(0, most);
  const named = list('measures', MEASURES_MOST).filter((name) => NAME.test(name));
  const measures = named.length > 0 ? named : ['spend_usd'];
  const by = list('by', DIMENSIONS_MOST).filter((name) => NAME.test(name) || /^tag:./.test(name));
  const chart = CHARTS.find(({ name }) => name === parameters.get('chart'))?.name ?? 'line';
  const wanted = GRAINS.find(({ value }) => value === parameters.get('grain'))?.value ?? 'auto';
  // A line needs steps to go along.
  const grain = wanted === 'none' && (chart === 'line' || chart === 'area') ? 'auto' : wanted;
  const show =
    measures.find((name) => name === parameters.get('show')) ?? measures[0] ?? 'spend_usd';
  const rows = parameters.get('rows') ?? (by.length === 0 ? 'time' : 'total');
  return {
    measures,
    by,
    grain,
    chart,
    show,
    rows: rows === 'time' && grain !== 'none' ? 'time' : 'total',
    sort: readSort(parameters.get('sort'), [...measures, ...by, 'time']),
    page: Math.min(PAGES_MOST, Math.max(0, Math.floor(Number(parameters.get('page') ?? 0)) || 0)),
  };
}

function readSort(text: string | null, columns: string[]): Sort | null {
  const cut = text?.lastIndexOf(':') ?? -1;
  if (!text || cut < 0) return null;
  const by = text.slice(0, cut);
  return columns.includes(by) ? { by, desc: text.slice(cut + 1) !== 'asc' } : null;
}

export function grainOf(explore: Explore, range: Range): Grain | undefined {
  if (explore.grain === 'none') return undefined;
  return explore.grain === 'auto' ? grainFor(range) : explore.grain;
}

export interface Scope {
  range: Range;
  filters: Filter[];
  compare: CompareChoice;
}

/** The question behind the table, and, without its page, behind the CSV file. */
export function tableQuery(explore: Explore, scope: Scope, paged = true): Query {
  const byTime = explore.rows === 'time';
  const sort = explore.sort?.by === 'time' && !byTime ? null : explore.sort;
  const order = sort ? [{ by: sort.by, desc: sort.desc }] : [];
  return {
    measures: explore.measures,
    dimensions: explore.by,
    filters: scope.filters,
    range: scope.range,
    grain: byTime ? grainOf(explore, scope.range) : undefined,
    compare: scope.compare === 'none' ? undefined : (scope.compare satisfies Compare),
    order,
    limit: paged ? PAGE_ROWS : 10_000,
    offset: paged ? explore.page * PAGE_ROWS : 0,
  };
}

/** The question behind the chart: the measure shown, all its steps and groups. */
export function chartQuery(explore: Explore, scope: Scope): Query {
  const grain = grainOf(explore, scope.range);
  // Beside several groups the compared ones would double the lines.
  const compared = explore.by.length === 0 && grain !== undefined && scope.compare !== 'none';
  return {
    measures: [explore.show],
    dimensions: explore.by,
    filters: scope.filters,
    range: scope.range,
    grain,
    compare: compared ? (scope.compare as Compare) : undefined,
    order: [{ by: explore.show, desc: true }],
    limit: 10_000,
  };
}
