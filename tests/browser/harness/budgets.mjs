// Budgets that a test needs beyond those of the demo.

import { setTimeout as sleep } from 'node:timers/promises';

const COUNTED_SECONDS_MAX = 60;
const STAGES = [
  { at: 70, notify: ['owner'] },
  { at: 80, approval: ['owner', 'finops'] },
  { at: 90, notify: ['manager', 'finops'] },
  { at: 100, degrade: { to: 'cheaper' } },
];

/** A budget over everybody's calls that is far from its limit, unless `spec` says other. */
export async function makeBudget(world, spec = {}) {
  const name = `test-${Date.now()}-${Math.random().toString(36).slice(2, 6)}`;
  await world.api.post('/api/v1/budgets', {
    name,
    spec: {
      owner: world.tally.people.finops,
      scope: {},
      limit: { usd: '1000000' },
      window: { calendar: 'month' },
      stages: STAGES,
      ...spec,
    },
  });
  return name;
}

/**
 * Waits until calls counted against the budget, in so many of its counters; the demo never stops
 * calling.
 */
export async function counted(world, budget, counters = 1) {
  const end = Date.now() + COUNTED_SECONDS_MAX * 1000;
  do {
    const { items } = await world.api.get(
      `/api/v1/budget-use?budget=${encodeURIComponent(budget)}`,
    );
    const used = items.filter((use) => Number(Object.values(use.settled)[0]) > 0);
    if (used.length >= counters) return used;
    await sleep(500);
  } while (Date.now() < end);
  throw new Error(`${budget}: no ${counters} counters with calls in ${COUNTED_SECONDS_MAX} s`);
}

/** Takes a test's budget away again. */
export async function dropBudget(world, budget) {
  if (!budget) return;
  const { version } = await world.api.get(`/api/v1/budgets/${budget}`);
  await world.api.delete(`/api/v1/budgets/${budget}?version=${version}`);
}
