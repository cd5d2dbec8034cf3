/** What a page shows, as its address says it, so that links can be sent to a colleague. */

import type { Compare, Filter, FilterOp, Range } from './api/types';

export type CompareChoice = Compare | 'none';

export interface View {
  range: Range;
  compare: CompareChoice;
  filters: Filter[];
}

export const RANGES: { name: string; label: string; key?: string }[] = [
  { name: 'last_hour', label: 'Last hour', key: 'h' },
  { name: 'last_24_hours', label: 'Last 24 hours', key: 'd' },
  { name: 'today', label: 'Today', key: 't' },
  { name: 'yesterday', label: 'Yesterday', key: 'y' },
  { name: 'last_7_days', label: 'Last 7 days', key: 'w' },
  { name: 'last_30_days', label: 'Last 30 days', key: 'm' },
  { name: 'last_90_days', label: 'Last 90 days', key: 'q' },
  { name: 'this_week', label: 'This week' },
  { name: 'last_week', label: 'Last week' },
  { name: 'this_month', label: 'This month' },
  { name: 'last_month', label: 'Last month' },
  { name: 'this_quarter', label: 'This quarter' },
  { name: 'last_quarter', label: 'Last quarter' },
  { name: 'this_year', label: 'This year' },
  { name: 'last_year', label: 'Last year' },
];

export const COMPARES: { name: CompareChoice; label: string }[] = [
  { name: 'previous_period', label: 'Previous period' },
  { name: 'previous_week', label: 'Previous week' },
  { name: 'previous_month', label: 'Previous month' },
  { name: 'previous_year', label: 'Previous year' },
  { name: 'none', label: 'Nothing' },
];

export const DEFAULT_RANGE = 'last_7_days';
const DEFAULT_COMPARE: CompareChoice = 'previous_period';
const OPS: FilterOp[] = ['eq', 'ne', 'in', 'not_in', 'is_null', 'is_not_null', 'prefix'];

/** What the global filter bar owns of the query string. */
const OWNED = ['range', 'from', 'to', 'compare', 'f'];

/** Reads a view; what makes no sense is left out, never an error. */
export function readView(parameters: URLSearchParams): View {
  return {
    range: readRange(parameters),
    compare:
      COMPARES.find(({ name }) => name === parameters.get('compare'))?.name ?? DEFAULT_COMPARE,
    filters: parameters.getAll('f').flatMap((text) => parseFilter(text) ?? []),
  };
}

function readRange(parameters: URLSearchParams): Range {
  const from = instant(parameters.get('from'));
  const to = instant(parameters.get('to'));
  if (from && to && from < to) return { from, to };
  const name = parameters.get('range');
  return RANGES.some((range) => range.name === name) && name ? name : DEFAULT_RANGE;
}

function instant(text: string | null): string | null {
  if (!text || !/^\d{4}-\d{2}-\d{2}T/.test(text)) return null;
  const at = new Date(text);
  return Number.isNaN(at.getTime()) ? null : at.toISOString();
}

/** The query string of a view; `others` keeps what else the page has in it. */
export function writeView(view: View, others?: URLSearchParams): URLSearchParams {
  const parameters = new URLSearchParams();
  if (typeof view.range !== 'string') {
    parameters.set('from', view.range.from);
    parameters.set('to', view.range.to);
  } else if (view.range !== DEFAULT_RANGE) {
    parameters.set('range', view.range);
  }
  if (view.compare !== DEFAULT_COMPARE) parameters.set('compare', view.compare);
  for (const filter of view.filters) parameters.append('f', formatFilter(filter));
  for (const [name, value] of others ?? []) {
    if (!OWNED.includes(name)) parameters.append(name, value);
  }
  return parameters;
}

/** `<dimension>:<op>:<value>,<value>`, each part percent-encoded. */
export function formatFilter({ dimension, op, values }: Filter): string {
  const parts = [part(dimension), op, values.map(part).join(',')];
  return parts.join(':');
}

/** As little encoding as keeps the parts apart, so that addresses stay readable. */
function part(text: string): string {
  return text.replace(/[%,:]/g, (char) => `%${char.charCodeAt(0).toString(16).toUpperCase()}`);
}

export function parseFilter(text: string): Filter | null {
  const [dimension, op, list = ''] = text.split(':');
  if (!dimension || !OPS.includes(op as FilterOp)) return null;
  try {
    const takesNone = op === 'is_null' || op === 'is_not_null';
    const values = takesNone || list === '' ? [] : list.split(',').map(decodeURIComponent);
    if (!takesNone && values.length === 0) return null;
    if (['eq', 'ne', 'prefix'].includes(op ?? '') && values.length !== 1) return null;
    return { dimension: decodeURIComponent(dimension), op: op as FilterOp, values };
  } catch {
    return null;
  }
}

/** Adds a condition; one on the same dimension and value replaces what was there. */
export function withFilter(filters: Filter[], dimension: string, value: string): Filter[] {
  const others = filters.filter((filter) => filter.dimension !== dimension);
  return [...others, { dimension, op: 'eq', values: [value] }];
}

export function withoutFilter(filters: Filter[], at: number): Filter[] {
  return filters.filter((_, index) => index !== at);
}

/** The words of a chip. */
export function filterWords({ op, values }: Filter): { verb: string; value: string } {
  const list =
    values.length > 3
      ? `${values.slice(0, 2).join(', ')} +${values.length - 2}`
      : values.join(', ');
  switch (op) {
    case 'eq':
      return { verb: 'is', value: list };
    case 'ne':
      return { verb: 'is not', value: list };
    case 'in':
      return { verb: 'is any of', value: list };
    case 'not_in':
      return { verb: 'is none of', value: list };
    case 'is_null':
      return { verb: 'is', value: 'unattributed' };
    case 'is_not_null':
      return { verb: 'is', value: 'known' };
    case 'prefix':
      return { verb: 'begins with', value: list };
  }
}

/** An address of another page with the same range, comparison and filters. */
export function hrefWith(path: string, view: View, more: Record<string, string> = {}): string {
  const parameters = writeView(view, new URLSearchParams(more));
  const text = parameters.toString();
  return text ? `${path}?${text}` : path;
}

export function rangeLabel(range: Range): string {
  if (typeof range !== 'string') return 'Custom range';
  return RANGES.find(({ name }) => name === range)?.label ?? range;
}
