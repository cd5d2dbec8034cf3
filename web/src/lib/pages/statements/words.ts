/** Statements and who pays, in plain words. */

import type {
  ChargebackModel,
  Line,
  StatementHead,
  StatementMonth,
  StatementState,
} from '../../api/statements';
import { hrefWith } from '../../urlstate';
import { csvText } from '../csv';

type Tone = 'neutral' | 'accent' | 'ok' | 'warn' | 'bad';

export const STATES: Record<StatementState, { label: string; tone: Tone; meaning: string }> = {
  draft: {
    label: 'Draft',
    tone: 'neutral',
    meaning: 'Computed of what is there now; it changes with every call',
  },
  review: {
    label: 'In review',
    tone: 'accent',
    meaning: 'Owners look at it, comment and dispute',
  },
  closed: { label: 'Closed', tone: 'ok', meaning: 'Sealed: it never changes again' },
};

export const MODELS: Record<ChargebackModel, { label: string; meaning: string }> = {
  subsidy: {
    label: 'Central subsidy',
    meaning: 'The central budget pays, up to the quota a month, until the last day',
  },
  showback: { label: 'Showback', meaning: 'Shown what it costs; the central budget pays' },
  production: {
    label: 'Production charged',
    meaning: 'Pays for production; the central budget pays for experiments',
  },
  hybrid: {
    label: 'Hybrid',
    meaning: 'Pays for production; experiments are central up to the quota, then charged',
  },
  quota: {
    label: 'Quota',
    meaning: 'Pays up to the quota it has bought; what is beyond is central',
  },
};

export const modelLabel = (model: string | null | undefined): string =>
  model ? (MODELS[model as ChargebackModel]?.label ?? model) : 'None yet';

export const LINES: Record<Line['line'], string> = {
  usage: 'Usage',
  idle: 'Idle capacity',
  shared: 'Shared cost',
  adjustment: 'Adjustment',
  correction: 'Correction',
  rounding: 'Rounding',
};

export const statementHref = (name: string): string => `/statements/${encodeURIComponent(name)}`;

export const centerHref = (name: string): string => `/cost-centers/${encodeURIComponent(name)}`;

/** What no cost center answers for has no page of its own. */
export const centerOf = ({ cost_center }: Pick<StatementHead, 'cost_center'>): string =>
  cost_center ?? 'No cost center';

/** The calls that a line is made of. */
export function callsOf({ calls_filter: way }: Line): string | null {
  if (!way) return null;
  const { from, to } = way;
  // What is not known is asked for without values.
  const filters = way.filters.map((filter) => ({ ...filter, values: filter.values ?? [] }));
  return hrefWith('/calls', { range: { from, to }, compare: 'previous_period', filters });
}

/** What a line is for, in one cell. */
export function lineName(line: Line): string {
  const what = line.workload ?? line.name ?? line.team;
  if (line.line === 'usage') return line.workload ?? 'No workload';
  return what ? `${LINES[line.line]}: ${what}` : LINES[line.line];
}

/** The month that a page begins with: the newest one that is over. */
export function firstShown(months: StatementMonth[]): string | null {
  return (months.find(({ is_over: over }) => over) ?? months[0])?.period ?? null;
}

/** A month's statements with every digit. */
export function csvOf(heads: StatementHead[]): string {
  const SUMS = [
    'list_usd',
    'rate_difference_usd',
    'amount_usd',
    'charged_usd',
    'subsidised_usd',
    'unallocated_usd',
    'corrections_usd',
  ] as const;
  const fields = ['statement', 'cost_center', 'owner', 'state', 'chargeback', 'rate_card'];
  const lines = heads.map((head) => [
    head.name,
    head.cost_center,
    head.owner,
    head.state,
    head.chargeback,
    head.rate_card,
    head.totals.calls,
    ...SUMS.map((id) => head.totals[id]),
  ]);
  return csvText([[...fields, 'calls', ...SUMS], ...lines]);
}
