/** Stages, gates, targets and quarters in plain words. */

import type { Cell } from '../../api/types';
import type {
  Gate,
  GateResult,
  Progress,
  ReviewSubject,
  Stage,
  TargetMeasure,
  TargetVerdict,
} from '../../api/rollout';
import { NONE, count, money } from '../../format';
import { parseDecimal, toFixed } from '../../decimal';
import { monthOf } from '../governance/month';
import { hrefOf } from '../links';

type Tone = 'neutral' | 'accent' | 'ok' | 'warn' | 'bad';

export const STAGES: Stage[] = ['inventory', 'showback', 'chargeback'];

export const STAGE_WORDS: Record<Stage, { label: string; tone: Tone; meaning: string }> = {
  inventory: {
    label: 'Inventory',
    tone: 'neutral',
    meaning: 'What it uses is being found out',
  },
  showback: {
    label: 'Showback',
    tone: 'accent',
    meaning: 'It is shown what it uses, and pays nothing',
  },
  chargeback: { label: 'Chargeback', tone: 'ok', meaning: 'It pays for what it uses' },
};

interface GateWords {
  label: string;
  /** In the head of a narrow column. */
  short: string;
  meaning: string;
  link: (center: string) => { href: string; label: string };
}

export const GATES: Record<Gate, GateWords> = {
  attributed: {
    label: 'Spend attributed',
    short: 'Attributed',
    meaning: 'The share of its spend of 30 days that is for a workload of the catalog',
    link: () => ({ href: '/inventory', label: 'What no workload explains' }),
  },
  workloads_complete: {
    label: 'Workloads complete',
    short: 'Complete',
    meaning: 'The share of its workloads of which nothing is missing',
    link: () => ({ href: '/catalog', label: 'The catalog' }),
  },
  quarter_of_data: {
    label: 'Weeks of data',
    short: 'Data',
    meaning: 'For how many weeks its calls are known',
    link: (center) => ({
      href: hrefOf('/explore', 'last_90_days', [['cost_center', center]], { grain: 'week' }),
      label: 'Its weeks',
    }),
  },
  bill_variance: {
    label: 'Met by the bill',
    short: 'Bill',
    meaning: 'How far what was metered is from the newest bill of each provider it uses',
    link: () => ({ href: '/reconciliation', label: 'Bills and their differences' }),
  },
  readiness: {
    label: 'Teams ready',
    short: 'Teams',
    meaning: 'The readiness checklists of its teams',
    link: () => ({ href: '/readiness', label: 'The checklists' }),
  },
  chargeback_model: {
    label: 'Chargeback model',
    short: 'Model',
    meaning: 'A model that does what the stage says; no override stands in for it',
    link: (center) => ({
      href: `/cost-centers/${encodeURIComponent(center)}`,
      label: 'Its chargeback model',
    }),
  },
};

export const GATE_NAMES = Object.keys(GATES) as Gate[];

export const gateOf = ({ gates }: Progress, gate: string): GateResult | undefined =>
  gates.find((one) => one.gate === gate);

export const held = ({ gates }: Progress): number => gates.filter(({ ok }) => ok).length;

export const openGates = ({ gates }: Progress): GateResult[] => gates.filter(({ ok }) => !ok);

/** 83 %, 12 weeks */
export function gateValue(gate: Gate, value: string | null | undefined): string {
  if (value === null || value === undefined) return NONE;
  if (gate !== 'quarter_of_data') return `${value}\u202f%`;
  return `${value} ${value === '1' ? 'week' : 'weeks'}`;
}

/** at least 80 %, at most 2 % */
export function gateAsked(gate: Gate, value: string): string {
  return `${gate === 'bill_variance' ? 'at most' : 'at least'} ${gateValue(gate, value)}`;
}

/** How far a gate is from holding, for a bar: 1 holds. */
export function gateShare({ gate, measured, asked, ok }: GateResult): number | null {
  if (measured === null || measured === undefined || asked === null || asked === undefined) {
    return null;
  }
  const [is, wanted] = [Number(measured), Number(asked)];
  if (ok) return 1;
  if (gate === 'bill_variance') return is > 0 ? wanted / is : 1;
  return wanted > 0 ? is / wanted : 1;
}

/** Those that are ready to go on first, then those with the fewest open gates. */
export function byReadiness(all: Progress[]): Progress[] {
  const open = (one: Progress) => (one.next ? openGates(one).length : 99);
  return all.toSorted((a, b) => open(a) - open(b) || a.cost_center.localeCompare(b.cost_center));
}

export const MEASURES: Record<TargetMeasure, { label: string; unit: 'usd' | 'count' | 'percent' }> =
  {
    spend_usd: { label: 'Spend of the month', unit: 'usd' },
    unattributed_usd: { label: 'Spend for no workload', unit: 'usd' },
    cost_per_successful_task_usd: { label: 'Cost per successful task', unit: 'usd' },
    tokens_per_successful_task: { label: 'Tokens per successful task', unit: 'count' },
    uncached_percent: { label: 'Prompt tokens without a cache', unit: 'percent' },
  };

/** A value of a measure, short. */
export function measured(measure: TargetMeasure, value: Cell | undefined): string {
  const { unit } = MEASURES[measure];
  if (value === null || value === undefined) return NONE;
  if (unit === 'usd') return money(value);
  if (unit === 'percent') return percent(value);
  const decimal = parseDecimal(String(value));
  return decimal ? count(toFixed(decimal, 0)) : NONE;
}

/** 71.4 % */
export function percent(value: Cell | undefined): string {
  const decimal = value === null || value === undefined ? null : parseDecimal(String(value));
  return decimal ? `${toFixed(decimal, 1)}\u202f%` : NONE;
}

export const VERDICTS: Record<TargetVerdict, { label: string; tone: Tone; meaning: string }> = {
  on_track: { label: 'On track', tone: 'ok', meaning: 'As it goes, it will be reached' },
  behind: { label: 'Behind', tone: 'warn', meaning: 'As it goes, it will not be reached' },
  met: { label: 'Met', tone: 'ok', meaning: 'The month is over, and it was reached' },
  missed: { label: 'Missed', tone: 'bad', meaning: 'The month is over, and it was not reached' },
  not_measured: { label: 'Not measured', tone: 'neutral', meaning: 'Nothing is there to measure' },
  withdrawn: { label: 'Withdrawn', tone: 'neutral', meaning: 'It no longer counts' },
};

export const SUBJECTS: Record<ReviewSubject, string> = {
  policies: 'Policies',
  prices: 'Prices',
  rate_cards: 'Rate cards',
  exceptions: 'Exceptions',
  budgets: 'Budgets',
  rollout: 'Rollout',
  other: 'Something else',
};

/** Quarters of the calendar as addresses have them: 2026-Q4. */
export const isQuarter = (text: string | null): text is string =>
  text !== null && /^\d{4}-Q[1-4]$/.test(text);

export function quarterOf(instant: Date, zone: string): string {
  const [year, month] = monthOf(instant, zone).split('-');
  return `${year}-Q${Math.ceil(Number(month) / 3)}`;
}

/** So many quarters later, or earlier. */
export function quarterAfter(quarter: string, by: number): string {
  const [year, number] = quarter.split('-Q').map(Number);
  const index = (year ?? 0) * 4 + (number ?? 1) - 1 + by;
  return `${Math.floor(index / 4)}-Q${(((index % 4) + 4) % 4) + 1}`;
}
