/** A first budget, to copy. */

export const EXAMPLE = `kind: Budget
name: support-month
spec:
  owner: grace
  scope: { team: support }
  limit: { usd: "2000" }
  window: { calendar: month }
  stages:
    - { at: 70, notify: [owner] }
    - { at: 80, approval: [workload_owner, finops] }
    - { at: 90, notify: [manager, finops] }
    - { at: 100, degrade: { to: cheaper } }
---
kind: Budget
name: each-person-day
spec:
  owner: grace
  scope: { each: person, environment: experimentation }
  limit: { tokens: 2000000 }
  window: { calendar: day }
`;

export const EXAMPLE_COMMAND = 'tally apply -f budgets.yaml';
