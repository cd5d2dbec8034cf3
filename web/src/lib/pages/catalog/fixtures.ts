/** A workload for tests. */

import type { CatalogEntry, WorkloadSpec } from '../../api/catalog';

export const SPEC: WorkloadSpec = {
  owner: 'grace',
  cost_center: 'cc-100',
  environment: 'production',
  class: 'operational',
  tier: 'frontier',
  data_class: 'internal',
  purpose: 'Answers tickets',
  budget_code: 'SC-100',
  fallback: { model: 'cheaper' },
  slo: { latency_p95_ms: 4000, cost_per_successful_task_usd: '0.25' },
  state: 'registered',
  metered: true,
};

export function entryOf(patch: Partial<CatalogEntry> = {}): CatalogEntry {
  return {
    name: 'support-copilot',
    spec: SPEC,
    completeness: { missing: [], asked: 11, percent: 100 },
    keys: ['support-prod'],
    used: {
      calls: 3,
      tokens: 300,
      spend_usd: '3',
      error_rate: 0,
      latency_p95_ms: 900,
      fallback_rate: 0,
    },
    health: 'ok',
    review_overdue: false,
    baseline: null,
    ...patch,
  };
}
