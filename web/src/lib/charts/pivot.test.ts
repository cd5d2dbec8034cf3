import { describe, expect, it } from 'vitest';
import type { Cell, QueryResult } from '../api/types';
import { colourOf, isAdditive, pivot, sum, without } from './pivot';
import { sparse, ticks } from './scale';

/** An answer by day and team, of one measure. */
function answer(
  rows: Cell[][],
  measure = 'spend_usd',
  unit: 'usd' | 'milliseconds' = 'usd',
): QueryResult {
  return {
    columns: [
      { name: 'time', label: 'Time', kind: 'time', unit: null },
      { name: 'team', label: 'Team', kind: 'dimension', unit: null },
      { name: measure, label: measure, kind: 'measure', unit },
    ],
    rows,
    total: [null, null, null],
    range: { from: '2026-07-20T00:00:00Z', to: '2026-07-23T00:00:00Z', name: 'x' },
    compared_range: null,
    source: 'rollup_day',
    groups: rows.length,
    truncated: false,
    warnings: [],
    partial_bucket: '2026-07-22T00:00:00Z',
    time_zone: 'UTC',
  };
}

const options = {
  measure: 'spend_usd',
  grain: 'day' as const,
  weekStarts: 'monday',
  most: 2,
  now: new Date('2026-07-22T12:00:00Z'),
};

describe('series of an answer', () => {
  const rows: Cell[][] = [
    ['2026-07-20T00:00:00Z', 'a', '0.1'],
    ['2026-07-20T00:00:00Z', 'c', '0.000000000001'],
    ['2026-07-20T00:00:00Z', 'd', '0.2'],
    ['2026-07-22T00:00:00Z', 'a', '5'],
    ['2026-07-22T00:00:00Z', 'b', '3'],
  ];

  it('have a value for every step, and the partial one marked', () => {
    const found = pivot(answer(rows), options);
    expect(found.buckets).toHaveLength(3);
    expect(found.partial).toBe(2);
    expect(found.series[0]).toMatchObject({ name: 'a', values: [0.1, 0, 5] });
  });

  it('are the largest, and the others exactly', () => {
    const found = pivot(answer(rows), options);
    expect(found.series.map(({ name }) => name)).toEqual(['a', 'b', '2 others']);
    expect(found.series[2]?.cells).toEqual(['0.200000000001', '0', '0']);
    expect(found.merged).toBe(2);
  });

  it('leave gaps where nothing is known and merge nothing that cannot be added', () => {
    const slow = answer(rows, 'latency_p95_ms', 'milliseconds');
    const found = pivot(slow, { ...options, measure: 'latency_p95_ms' });
    expect(found.series.map(({ name }) => name)).toEqual(['a', 'b']);
    expect(found.series[0]?.values).toEqual([0.1, null, 5]);
  });
});

describe('sums', () => {
  it('are exact', () => {
    expect(sum(['0.1', '0.2', null])).toBe('0.3');
    expect(sum([null])).toBeNull();
    expect(without('10', ['0.1', '0.2'])).toBe('9.7');
    expect(without(null, ['1'])).toBeNull();
  });

  it('are only made of what can be added', () => {
    expect(isAdditive('spend_usd', 'usd')).toBe(true);
    expect(isAdditive('calls', 'count')).toBe(true);
    expect(isAdditive('cost_per_call_usd', 'usd')).toBe(false);
    expect(isAdditive('active_people', 'count')).toBe(false);
    expect(isAdditive('tasks_unknown', 'count')).toBe(false);
    expect(isAdditive('fallback_rate', 'ratio')).toBe(false);
  });
});

describe('axes', () => {
  it('have round steps that reach over the largest value', () => {
    expect(ticks(87)).toEqual([0, 25, 50, 75, 100]);
    expect(ticks(100)).toEqual([0, 25, 50, 75, 100]);
    expect(ticks(0)).toEqual([0, 1]);
    expect(ticks(3e-7).at(-1)).toBeGreaterThanOrEqual(3e-7);
  });

  it('show as many labels as fit', () => {
    const shown = sparse(30, 60, 300);
    expect(Array.from({ length: 30 }, (_, at) => shown(at)).filter(Boolean)).toHaveLength(5);
  });

  it('give what is not known its own colour', () => {
    expect(colourOf('unattributed', 3)).toBe('var(--unknown)');
    expect(colourOf('frontier', 3)).toBe('var(--tier-frontier)');
    expect(colourOf('x', 9)).toBe('var(--c2)');
  });
});
