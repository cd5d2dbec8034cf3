/** The list of budgets: which are shown, in which order, and as which rows. */

import type { BudgetSpec, BudgetState, BudgetUse } from '../../api/budgets';
import { csvText } from '../csv';
import { amountExact, shareOf, textOf, unitOf } from './amount';
import { STATES, counterName, stateOf } from './words';

/** The worst last, as the API has them. */
const ORDER = STATES.map(({ name }) => name).reverse();

export function rank(state: BudgetState): number {
  return ORDER.indexOf(state);
}

export const usedShare = (use: BudgetUse): number => shareOf(use.settled, use.limit);

/** By state, then by who runs out first, then by how much is used. */
export function byUrgency(a: BudgetUse, b: BudgetUse): number {
  return (
    rank(b.state) - rank(a.state) ||
    gone(a) - gone(b) ||
    usedShare(b) - usedShare(a) ||
    byName(a, b)
  );
}

function gone({ exhausted_at }: BudgetUse): number {
  return exhausted_at ? new Date(exhausted_at).getTime() : Number.MAX_SAFE_INTEGER;
}

export function byName(a: BudgetUse, b: BudgetUse): number {
  return counterName(a.counter).localeCompare(counterName(b.counter));
}

export type Order = 'urgency' | 'used' | 'name' | 'ends';

export const ORDERS: Record<Order, (a: BudgetUse, b: BudgetUse) => number> = {
  urgency: byUrgency,
  used: (a, b) => usedShare(b) - usedShare(a) || byName(a, b),
  name: byName,
  ends: (a, b) => a.window_end.localeCompare(b.window_end) || byName(a, b),
};

export interface Shown {
  state: BudgetState | 'attention' | null;
  search: string;
}

export function isShown(use: BudgetUse, owner: string | undefined, { state, search }: Shown) {
  if (state === 'attention' ? use.state === 'ok' : state && use.state !== state) return false;
  const hay = `${counterName(use.counter)} ${owner ?? ''}`.toLowerCase();
  return search
    .toLowerCase()
    .split(/\s+/)
    .every((word) => hay.includes(word));
}

export type Row =
  | { kind: 'counter'; use: BudgetUse; inGroup: boolean }
  | { kind: 'group'; budget: string; uses: BudgetUse[]; worst: BudgetUse; isOpen: boolean };

/** One row per counter; those of a budget with several under one that can be opened. */
export function rowsOf(
  uses: BudgetUse[],
  order: Order,
  isOpen: (budget: string) => boolean,
): Row[] {
  const groups = new Map<string, BudgetUse[]>();
  for (const use of uses.toSorted(ORDERS[order])) {
    const { budget } = use.counter;
    groups.set(budget, [...(groups.get(budget) ?? []), use]);
  }
  // The first of each group is the one that decides where the group stands.
  const rows: Row[] = [];
  for (const [budget, all] of groups) {
    const [worst] = all;
    if (!worst) continue;
    if (all.length === 1) {
      rows.push({ kind: 'counter', use: worst, inGroup: false });
      continue;
    }
    const open = isOpen(budget);
    rows.push({ kind: 'group', budget, uses: all, worst, isOpen: open });
    if (open) rows.push(...all.map((use): Row => ({ kind: 'counter', use, inGroup: true })));
  }
  return rows;
}

/** 2 refusing, 3 degraded, 19 OK */
export function countWords(uses: BudgetUse[]): string {
  return STATES.flatMap(({ name, label }) => {
    const number = uses.filter((use) => use.state === name).length;
    return number > 0 ? [`${number} ${name === 'ok' ? label : label.toLowerCase()}`] : [];
  }).join(', ');
}

const COLUMNS = [
  'budget',
  'each',
  'environment',
  'owner',
  'state',
  'stage_percent',
  'unit',
  'limit',
  'limit_declared',
  'carried',
  'granted',
  'settled',
  'reserved',
  'overage',
  'ceiling',
  'projected',
  'exhausted_at',
  'window_start',
  'window_end',
];

export function csvOf(uses: BudgetUse[], ownerOf: (budget: string) => string | undefined): string {
  const lines = uses.map((use) => {
    const { budget, each, environment } = use.counter;
    const optional = (limit: BudgetUse['ceiling']) => (limit ? textOf(limit) : '');
    return [
      budget,
      each,
      environment,
      ownerOf(budget),
      use.state,
      use.stage,
      unitOf(use.limit),
      ...[use.limit, use.limit_declared, use.carried, use.granted].map(textOf),
      ...[use.settled, use.reserved, use.overage].map(textOf),
      optional(use.ceiling),
      optional(use.projected),
      use.exhausted_at,
      use.window_start,
      use.window_end,
    ];
  });
  return csvText([COLUMNS, ...lines]);
}

/** How a bar is read out. */
export function barLabel(use: BudgetUse, spec?: BudgetSpec): string {
  const of = `${amountExact(use.settled)} of ${amountExact(use.limit)} used`;
  const reserved = `${amountExact(use.reserved)} reserved`;
  const owner = spec ? `, owner ${spec.owner}` : '';
  return `${counterName(use.counter)}: ${of}, ${reserved}; ${stateOf(use.state).meaning}${owner}`;
}
