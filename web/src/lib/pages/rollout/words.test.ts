import { describe, expect, it } from 'vitest';
import type { GateResult, Progress } from '../../api/rollout';
import {
  byReadiness,
  gateAsked,
  gateShare,
  gateValue,
  isQuarter,
  measured,
  quarterAfter,
  quarterOf,
} from './words';

const gate = (more: Partial<GateResult>): GateResult => ({
  gate: 'attributed',
  ok: false,
  detail: '',
  ...more,
});

describe('a quarter', () => {
  it('is that of the organization, and goes over the end of a year', () => {
    expect(quarterOf(new Date('2026-12-31T23:30:00Z'), 'Europe/Berlin')).toBe('2027-Q1');
    expect(quarterAfter('2026-Q4', 1)).toBe('2027-Q1');
    expect(quarterAfter('2026-Q1', -1)).toBe('2025-Q4');
    expect(quarterAfter('2026-Q2', -6)).toBe('2024-Q4');
  });

  it('is written in one way', () => {
    expect(['2026-Q4', '2026-Q5', '2026Q4', '', null].map(isQuarter)).toEqual([
      true,
      false,
      false,
      false,
      false,
    ]);
  });
});

describe('a gate', () => {
  it('says what was measured and what is asked for in its own unit', () => {
    expect(gateValue('quarter_of_data', '1')).toBe('1 week');
    expect(gateValue('attributed', null)).toBe('–');
    expect(gateAsked('bill_variance', '2')).toBe('at most 2\u202f%');
    expect(gateAsked('quarter_of_data', '13')).toBe('at least 13 weeks');
  });

  it('is as far as its share of what is asked for; what is not measured has none', () => {
    expect(gateShare(gate({ measured: '40', asked: '80' }))).toBe(0.5);
    expect(gateShare(gate({ measured: '90', asked: '80', ok: true }))).toBe(1);
    // Of a variance, less is better.
    expect(gateShare(gate({ gate: 'bill_variance', measured: '8', asked: '2' }))).toBe(0.25);
    expect(gateShare(gate({ gate: 'bill_variance', asked: '2' }))).toBeNull();
  });
});

it('shows first who may go on, and last who has arrived', () => {
  const one = (cost_center: string, next: 'chargeback' | null, open: number) =>
    ({ cost_center, next, gates: Array.from({ length: open }, () => gate({})) }) as Progress;
  const all = [one('done', null, 0), one('far', 'chargeback', 3), one('near', 'chargeback', 0)];
  expect(byReadiness(all).map(({ cost_center }) => cost_center)).toEqual(['near', 'far', 'done']);
});

it('writes what a target measures in its unit', () => {
  expect(measured('uncached_percent', '71.44')).toBe('71.4\u202f%');
  expect(measured('tokens_per_successful_task', '12345.67')).toBe('12.3k');
  expect(measured('spend_usd', null)).toBe('–');
});
