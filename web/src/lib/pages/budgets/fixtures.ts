/** Counters for tests. */

import type { BudgetUse } from '../../api/budgets';

export function useOf(patch: Partial<BudgetUse> = {}): BudgetUse {
  return {
    counter: { budget: 'support-month' },
    window_start: '2026-10-31T23:00:00Z',
    window_end: '2026-11-30T23:00:00Z',
    limit: { usd: '2000' },
    limit_declared: { usd: '2000' },
    carried: { usd: '0' },
    granted: { usd: '0' },
    settled: { usd: '500' },
    reserved: { usd: '0' },
    overage: { usd: '0' },
    state: 'ok',
    stages: [
      { stage: { at: 70, notify: ['owner'] } },
      { stage: { at: 80, approval: ['workload_owner', 'finops'] } },
      { stage: { at: 90, notify: ['manager', 'finops'] } },
      { stage: { at: 100, degrade: { to: 'cheaper' } } },
    ],
    ...patch,
  };
}
