/** What people read of bills and their differences. */

import type { BillFormat, Reconciliation, Variance, VarianceKind } from '../../api/reconciliation';
import { type Decimal, parseDecimal, toText } from '../../decimal';
import { numberOf } from '../../format';

export const FORMATS: { value: BillFormat; label: string; hint: string }[] = [
  {
    value: 'anthropic-cost',
    label: 'Anthropic cost report',
    hint: 'The JSON of /v1/organizations/cost_report, grouped by description.',
  },
  {
    value: 'anthropic-usage',
    label: 'Anthropic usage report',
    hint: 'The JSON of /v1/organizations/usage_report/messages, grouped by model.',
  },
  {
    value: 'openai-costs',
    label: 'OpenAI costs',
    hint: 'The JSON of /v1/organization/costs, grouped by line_item.',
  },
  {
    value: 'openai-usage',
    label: 'OpenAI usage',
    hint: 'The JSON of /v1/organization/usage/completions, grouped by model.',
  },
  {
    value: 'csv',
    label: 'Invoice as CSV',
    hint: 'Columns date,model,meter,quantity,cost,currency; amounts in USD with a point.',
  },
];

export const formatName = (format: string): string =>
  FORMATS.find(({ value }) => value === format)?.label ?? format;

/** What a bill seems to be written in; null where nothing tells. */
export function guessFormat(text: string): BillFormat | null {
  const start = text.trimStart().slice(0, 20_000);
  if (!/^[[{]/.test(start)) return start.startsWith('date,') ? 'csv' : null;
  if (start.includes('"uncached_input_tokens"')) return 'anthropic-usage';
  if (start.includes('"cost_type"') || start.includes('"token_type"')) return 'anthropic-cost';
  if (start.includes('"line_item"')) return 'openai-costs';
  return start.includes('"input_tokens"') ? 'openai-usage' : null;
}

export interface KindWords {
  label: string;
  /** What it means, and what to do about it. */
  note: string;
  /** A colour of charts. */
  colour: string;
}

export const KINDS: Record<VarianceKind, KindWords> = {
  missing_traffic: {
    label: 'Missing traffic',
    note: 'Billed, but Tally saw none of it, or less: calls went around Tally, or are still to be imported.',
    colour: 'var(--c5)',
  },
  missing_in_bill: {
    label: 'Missing in the bill',
    note: 'Metered, but not on the bill, or less of it: the report may not be whole.',
    colour: 'var(--c2)',
  },
  price_change: {
    label: 'Price change',
    note: 'As many, at another rate: the price list may have to be updated.',
    colour: 'var(--c3)',
  },
  rounding: { label: 'Rounding', note: 'A cent at most.', colour: 'var(--c8)' },
  unmetered_source: {
    label: 'Unmetered source',
    note: 'A meter that no call of these days has.',
    colour: 'var(--c4)',
  },
  unknown_model: {
    label: 'Unknown model',
    note: 'A model that Tally does not know: register it, or add it to a route.',
    colour: 'var(--c1)',
  },
};

export const KIND_NAMES = Object.keys(KINDS) as VarianceKind[];

export type VarianceState = 'none' | 'proposed' | 'approved' | 'rejected' | 'posted';

export const STATES: Record<
  VarianceState,
  { label: string; tone: 'neutral' | 'accent' | 'ok' | 'warn' }
> = {
  none: { label: 'Nothing to post', tone: 'neutral' },
  proposed: { label: 'To be decided', tone: 'warn' },
  approved: { label: 'Approved', tone: 'accent' },
  rejected: { label: 'Rejected', tone: 'neutral' },
  posted: { label: 'Posted', tone: 'ok' },
};

export const STATE_NAMES = Object.keys(STATES) as VarianceState[];

export function stateOf({ adjustment, proposed_usd }: Variance): VarianceState {
  if (adjustment) return adjustment.state;
  return proposed_usd === null || proposed_usd === undefined ? 'none' : 'proposed';
}

export const isAggregate = ({ aggregate }: Variance): boolean => (aggregate?.length ?? 0) > 0;

/** The exact sum of amounts; what is not known is left out. */
export function sumOf(amounts: (string | null | undefined)[]): string {
  const known = amounts.flatMap((amount) => {
    const value = amount ? parseDecimal(amount) : null;
    return value ? [value] : [];
  });
  const scale = Math.max(0, ...known.map((value) => value.scale));
  const digits = known.reduce(
    (sum, value) => sum + value.digits * 10n ** BigInt(scale - value.scale),
    0n,
  );
  const sum: Decimal = { digits, scale };
  return toText(sum);
}

/** The address of one bill. */
export const billHref = (name: string): string => `/reconciliation/${encodeURIComponent(name)}`;

/** The bill of an adjustment, which is named by it and its number: `5f0c8d2be1a94c37-2`. */
export const billOfAdjustment = (name: string): string => billHref(name.replace(/-\d+$/, ''));

/** A day of a bill as three pieces: what both have, and what only one of them has. */
export interface DayPieces {
  date: string;
  both: number;
  onlyBilled: number;
  onlyMetered: number;
  billed: string;
  metered: string;
}

export function dayPieces(days: Reconciliation['days']): DayPieces[] {
  return days.map(({ date, billed_usd, metered_usd }) => {
    const billed = numberOf(billed_usd) ?? 0;
    const metered = numberOf(metered_usd) ?? 0;
    return {
      date,
      both: Math.min(billed, metered),
      onlyBilled: Math.max(0, billed - metered),
      onlyMetered: Math.max(0, metered - billed),
      billed: billed_usd,
      metered: metered_usd,
    };
  });
}
