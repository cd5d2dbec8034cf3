/** The list of workloads: which are shown, in which order, and as which file. */

import type { CatalogEntry, WorkloadState } from '../../api/catalog';
import { columnOf, indexOf } from '../../api/query';
import type { Cell, QueryResult } from '../../api/types';
import { numberOf } from '../../format';
import type { Sort } from '../../ui/table';
import { csvText } from '../csv';
import { matches } from '../people/groups';
import { HEALTHS, STATES, fieldName, isWanting } from './words';

export const RANGE = 'last_30_days';

export const SHOWS = [
  { value: 'wanting', label: 'Needs attention' },
  { value: 'incomplete', label: 'Something is missing' },
  { value: 'overdue', label: 'Model choice overdue' },
  { value: 'unhealthy', label: 'Slow or failing' },
] as const;
export type Show = (typeof SHOWS)[number]['value'];

export interface CatalogView {
  search: string;
  /** All that are in use, unless one state is chosen. */
  state: WorkloadState | null;
  environment: string | null;
  show: Show | null;
  /** A field that is missing. */
  missing: string | null;
  /** A team whose people answer for it is not known here: its owners are. */
  owner: string | null;
}

export function readCatalogView(parameters: URLSearchParams): CatalogView {
  const state = parameters.get('state') ?? '';
  const show = SHOWS.find(({ value }) => value === parameters.get('show'));
  return {
    search: parameters.get('q') ?? '',
    state: state in STATES ? (state as WorkloadState) : null,
    environment: parameters.get('environment'),
    show: show?.value ?? null,
    missing: parameters.get('missing'),
    owner: parameters.get('owner'),
  };
}

const isOf: Record<Show, (entry: CatalogEntry) => boolean> = {
  wanting: isWanting,
  incomplete: ({ completeness }) => completeness.missing.length > 0,
  overdue: ({ review_overdue }) => review_overdue,
  unhealthy: ({ health }) => health === 'slow' || health === 'failing',
};

/** What is over is shown only where it is asked for. */
export function isShown(entry: CatalogEntry, view: CatalogView): boolean {
  const { spec, completeness, name } = entry;
  const state = spec.state ?? 'registered';
  if (view.state ? state !== view.state : state === 'retired') return false;
  if (view.environment && spec.environment !== view.environment) return false;
  if (view.show && !isOf[view.show](entry)) return false;
  if (view.missing && !completeness.missing.includes(view.missing)) return false;
  if (view.owner && spec.owner !== view.owner) return false;
  const texts = [spec.owner, spec.cost_center, spec.purpose, spec.vendor, spec.tier];
  return matches(view.search, name, ...texts.map((text) => text ?? undefined));
}

/** What something cost, and before; null is not known. */
export interface Spent {
  now: Cell;
  before: Cell;
}

export function spentOf(result: QueryResult | null, dimension = 'workload'): Map<string, Spent> {
  if (!result) return new Map();
  const names = columnOf(result, dimension);
  const now = indexOf(result, 'spend_usd');
  const before = indexOf(result, 'spend_usd_compared');
  return new Map(
    result.rows.map((row, at) => [
      String(names[at]),
      { now: row[now] ?? null, before: before < 0 ? null : (row[before] ?? null) },
    ]),
  );
}

export interface CatalogRow {
  entry: CatalogEntry;
  spent: Spent;
}

const ORDER = Object.keys(STATES);
const TIERS = ['frontier', 'standard', 'economy'];
const amount = (cell: Cell) => numberOf(cell) ?? 0;
const growth = ({ spent }: CatalogRow) => amount(spent.now) - amount(spent.before);

const ORDERS: Record<string, (a: CatalogRow, b: CatalogRow) => number> = {
  name: (a, b) => a.entry.name.localeCompare(b.entry.name),
  state: (a, b) =>
    ORDER.indexOf(a.entry.spec.state ?? '') - ORDER.indexOf(b.entry.spec.state ?? ''),
  tier: (a, b) => TIERS.indexOf(a.entry.spec.tier) - TIERS.indexOf(b.entry.spec.tier),
  spend: (a, b) => amount(a.spent.now) - amount(b.spent.now),
  change: (a, b) => growth(a) - growth(b),
  complete: (a, b) => a.entry.completeness.percent - b.entry.completeness.percent,
};

/** `spend`, or `name:asc`; the address has it so. */
export function readSort(text: string | null): Sort {
  const [by = '', direction] = (text ?? '').split(':');
  return by in ORDERS ? { by, desc: direction !== 'asc' } : { by: 'spend', desc: true };
}

export const writeSort = ({ by, desc }: Sort): string => (desc ? by : `${by}:asc`);

export function sorted(rows: CatalogRow[], { by, desc }: Sort): CatalogRow[] {
  const order = ORDERS[by] ?? ORDERS.name;
  const byName = ORDERS.name;
  return rows.toSorted((a, b) => (desc ? -1 : 1) * (order?.(a, b) ?? 0) || (byName?.(a, b) ?? 0));
}

/** 2 missing: purpose, SLO */
export function missingWords({ completeness }: CatalogEntry): string | null {
  const { missing } = completeness;
  if (missing.length === 0) return null;
  return missing.map(fieldName).join(', ');
}

const COLUMNS = [
  'workload',
  'state',
  'health',
  'owner',
  'cost_center',
  'budget_code',
  'environment',
  'class',
  'criticality',
  'funding',
  'tier',
  'data_class',
  'spend_30_days_usd',
  'spend_before_usd',
  'compared_with',
  'calls',
  'tokens',
  'complete_percent',
  'missing',
  'review_by',
  'review_overdue',
  'keys',
  'baseline',
];

export function csvOf(rows: CatalogRow[], comparedWith: string | null): string {
  const lines = rows.map(({ entry, spent }) => {
    const { spec, completeness, used } = entry;
    return [
      entry.name,
      spec.state,
      HEALTHS[entry.health].label,
      spec.owner,
      spec.cost_center,
      spec.budget_code,
      spec.environment,
      spec.class,
      spec.criticality,
      spec.funding,
      spec.tier,
      spec.data_class,
      spent.now,
      spent.before,
      comparedWith,
      used.calls,
      used.tokens,
      completeness.percent,
      completeness.missing.join(' '),
      spec.tier_rationale?.review_by,
      String(entry.review_overdue),
      entry.keys.join(' '),
      entry.baseline,
    ];
  });
  return csvText([COLUMNS, ...lines]);
}
