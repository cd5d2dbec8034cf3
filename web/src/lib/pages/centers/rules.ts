/** How a cost center is charged: what held, what holds, and what will. */

import type { Chargeback, ChargebackModel, ChargebackRule } from '../../api/statements';

export interface Standing {
  rule: ChargebackRule;
  when: 'then' | 'now' | 'next';
  /** The first day of the rule that follows it. */
  until: string | null;
}

const since = (rule: ChargebackRule): string => rule.from ?? '';

/** The rules, the oldest first; `today` is a day such as 2026-11-22. */
export function standings(chargeback: Chargeback | null | undefined, today: string): Standing[] {
  if (!chargeback) return [];
  const { history = [], ...newest } = chargeback;
  const rules: ChargebackRule[] = [...(history ?? []), newest];
  const now = rules.findLastIndex((rule) => since(rule) <= today);
  return rules.map((rule, at) => ({
    rule,
    when: at < now ? 'then' : at === now ? 'now' : 'next',
    until: rules[at + 1]?.from ?? null,
  }));
}

export const holds = (all: Standing[]): ChargebackRule | null =>
  all.find(({ when }) => when === 'now')?.rule ?? null;

/** All is text: what is empty is not said. */
export interface Form {
  model: ChargebackModel;
  from: string;
  quota: string;
  until: string;
}

export type Flaws = Partial<Record<keyof Form, string>>;

const DOLLARS = /^\d{1,12}(\.\d{1,12})?$/;
const DAY = /^\d{4}-\d{2}-\d{2}$/;

export const hasQuota = (model: ChargebackModel): boolean =>
  model === 'subsidy' || model === 'hybrid' || model === 'quota';

export function formOf(rule: ChargebackRule | null, from: string): Form {
  return {
    model: rule?.model ?? 'showback',
    from,
    quota: rule?.quota_usd ?? '',
    until: rule?.until ?? '',
  };
}

export function flawsOf(form: Form): Flaws {
  const flaws: Flaws = {};
  if (!DAY.test(form.from)) flaws.from = 'The first day it holds.';
  else if (!form.from.endsWith('-01'))
    flaws.from = 'The first of a month: statements are by month.';
  if (hasQuota(form.model) && form.quota.trim() && !DOLLARS.test(form.quota.trim())) {
    flaws.quota = 'Such as 500 or 12.50.';
  }
  if (form.model === 'quota' && !form.quota.trim()) flaws.quota = 'What it has bought.';
  if (form.model === 'subsidy' && form.until && form.until < form.from) {
    flaws.until = 'Not before it begins.';
  }
  return flaws;
}

/**
 * The cost center's chargeback with the rule of the form: what began earlier stays and becomes
 * history, what would have begun that day or later is given up.
 */
export function withRule(before: Chargeback | null | undefined, form: Form): Chargeback {
  const rule: ChargebackRule = {
    model: form.model,
    from: form.from,
    ...(hasQuota(form.model) && form.quota.trim() ? { quota_usd: form.quota.trim() } : {}),
    ...(form.model === 'subsidy' && form.until ? { until: form.until } : {}),
  };
  if (!before) return rule;
  const { history = [], ...newest } = before;
  const earlier = [...(history ?? []), newest].filter((old) => since(old) < form.from);
  return earlier.length > 0 ? { ...rule, history: earlier } : rule;
}
