/** The fields of a workload as a form has them, and back. */

import type { WorkloadSpec } from '../../api/catalog';

/** All is text: what is empty is not said. */
export interface Form {
  purpose: string;
  owner: string;
  cost_center: string;
  budget_code: string;
  environment: string;
  class: string;
  tier: string;
  data_class: string;
  criticality: string;
  funding: string;
  fallback_model: string;
  fallback_tokens: string;
  slo_ms: string;
  slo_usd: string;
  calls_per_minute: string;
  tokens_per_minute: string;
  reason: string;
  review_by: string;
  vendor: string;
  monthly_cost: string;
}

export type Flaws = Partial<Record<keyof Form, string>>;

const text = (value: string | number | null | undefined): string => String(value ?? '');

export function formOf(spec: WorkloadSpec): Form {
  return {
    purpose: text(spec.purpose),
    owner: spec.owner,
    cost_center: spec.cost_center,
    budget_code: text(spec.budget_code),
    environment: spec.environment,
    class: spec.class,
    tier: spec.tier,
    data_class: spec.data_class,
    criticality: text(spec.criticality),
    funding: text(spec.funding),
    fallback_model: text(spec.fallback?.model),
    fallback_tokens: text(spec.fallback?.max_context_tokens),
    slo_ms: text(spec.slo?.latency_p95_ms),
    slo_usd: text(spec.slo?.cost_per_successful_task_usd),
    calls_per_minute: text(spec.rate_limit?.requests_per_minute),
    tokens_per_minute: text(spec.rate_limit?.tokens_per_minute),
    reason: text(spec.tier_rationale?.reason),
    review_by: text(spec.tier_rationale?.review_by),
    vendor: text(spec.vendor),
    monthly_cost: text(spec.monthly_cost_usd),
  };
}

const WHOLE = /^[1-9]\d{0,14}$/;
const DOLLARS = /^\d{1,12}(\.\d{1,12})?$/;

export function flawsOf(form: Form, before: WorkloadSpec): Flaws {
  const flaws: Flaws = {};
  const said = (field: keyof Form) => form[field].trim() !== '';
  for (const field of ['owner', 'cost_center'] as const) {
    if (!said(field)) flaws[field] = 'Somebody has to.';
  }
  const counts = ['fallback_tokens', 'slo_ms', 'calls_per_minute', 'tokens_per_minute'] as const;
  for (const field of counts) {
    if (said(field) && !WHOLE.test(form[field].trim())) {
      flaws[field] = 'A whole number above zero.';
    }
  }
  for (const field of ['slo_usd', 'monthly_cost'] as const) {
    if (said(field) && !DOLLARS.test(form[field].trim())) flaws[field] = 'Such as 12.50.';
  }
  if (said('reason') !== said('review_by')) {
    const missing = said('reason') ? 'review_by' : 'reason';
    flaws[missing] = 'A reason and the day it is looked at again belong together.';
  }
  // What is seen is written down with what is known; the rest is asked of what is in production.
  if (form.environment === 'production' && isHeldTo(before)) {
    const production = 'Required in production.';
    if (!said('purpose')) flaws.purpose ??= production;
    if (!said('budget_code')) flaws.budget_code ??= production;
    if (!said('slo_ms') && !said('slo_usd')) flaws.slo_ms ??= production;
    if (!said('fallback_model') && !said('fallback_tokens')) flaws.fallback_model ??= production;
  }
  return flaws;
}

const isHeldTo = ({ state, metered }: WorkloadSpec): boolean =>
  state !== 'discovered' && metered !== false;

/** The workload as the form says; what a form does not show stays as it was. */
export function specOf(form: Form, before: WorkloadSpec): WorkloadSpec {
  const said = (field: keyof Form) => form[field].trim() || undefined;
  const whole = (field: keyof Form) => (said(field) ? Number(said(field)) : undefined);
  const spec = {
    ...before,
    purpose: said('purpose'),
    owner: form.owner,
    cost_center: form.cost_center,
    budget_code: said('budget_code'),
    environment: form.environment,
    class: form.class,
    tier: form.tier,
    data_class: form.data_class,
    criticality: said('criticality'),
    funding: said('funding'),
    fallback: some({ model: said('fallback_model'), max_context_tokens: whole('fallback_tokens') }),
    slo: some({
      latency_p95_ms: whole('slo_ms'),
      cost_per_successful_task_usd: said('slo_usd'),
    }),
    rate_limit: some({
      requests_per_minute: whole('calls_per_minute'),
      tokens_per_minute: whole('tokens_per_minute'),
    }),
    tier_rationale: some({ reason: said('reason'), review_by: said('review_by') }),
    vendor: said('vendor'),
    monthly_cost_usd: said('monthly_cost'),
  };
  // The words come from lists of the vocabulary; the server checks them all the same.
  return known(spec) as WorkloadSpec;
}

/** Without what is not said. */
function known<T extends object>(of: T): Partial<T> {
  const fields = Object.entries(of).filter(([, value]) => value !== undefined && value !== null);
  return Object.fromEntries(fields) as Partial<T>;
}

function some<T extends object>(of: T): Partial<T> | undefined {
  const fields = known(of);
  return Object.keys(fields).length > 0 ? fields : undefined;
}
