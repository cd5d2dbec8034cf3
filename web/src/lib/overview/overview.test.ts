import { describe, expect, it } from 'vitest';
import type { Cell, QueryResult, UsageEvent } from '../api/types';
import { appRows } from './apps';
import { heatOf, intensity, tileOf } from './heat';

function answer(
  rows: Cell[][],
  total: Cell[],
  dimensions: string[],
  measures: string[],
): QueryResult {
  return {
    columns: [
      ...dimensions.map((name) => ({ name, label: name, kind: 'dimension' as const, unit: null })),
      ...measures.map((name) => ({
        name,
        label: name,
        kind: 'measure' as const,
        unit: name.endsWith('usd') ? ('usd' as const) : ('milliseconds' as const),
      })),
    ],
    rows,
    total,
    range: { from: '', to: '', name: '' },
    compared_range: null,
    source: 'rollup',
    groups: rows.length,
    truncated: false,
    warnings: [],
    partial_bucket: null,
    time_zone: 'UTC',
  };
}

describe('the table of apps', () => {
  const rows: Cell[][] = [
    ['a', '5', 100],
    ['b', '3', null],
    ['c', '0.1', 300],
    ['d', '0.2', 200],
    ['unattributed', '0.000000000001', 50],
  ];
  const result = answer(
    rows,
    [null, '8.300000000001', 150],
    ['workload'],
    ['spend_usd', 'latency_p95_ms'],
  );

  it('reconciles: the top ones, the unattributed, the others, the total', () => {
    const { rows: found, total } = appRows(result, { by: 'spend_usd', desc: true }, 2);
    expect(found.map(({ name }) => name)).toEqual(['a', 'b', 'unattributed', '2 others']);
    expect(found[3]?.cells).toEqual({ spend_usd: '0.3', latency_p95_ms: null });
    expect(total.cells.spend_usd).toBe('8.300000000001');
  });

  it('puts what is not known last, in either order', () => {
    const names = (desc: boolean) =>
      appRows(result, { by: 'latency_p95_ms', desc }, 9).rows.map(({ name }) => name);
    expect(names(true)).toEqual(['c', 'd', 'a', 'b', 'unattributed']);
    expect(names(false)).toEqual(['a', 'd', 'c', 'b', 'unattributed']);
  });
});

describe('the usage map', () => {
  const rows: Cell[][] = [
    ['x', 'p', '4'],
    ['x', 'q', '1'],
    ['y', 'p', '2'],
    ['z', 'r', '0.5'],
  ];
  const result = answer(rows, [null, null, '7.5'], ['department', 'task_type'], ['spend_usd']);

  it('shows the largest rows and columns and says what is elsewhere', () => {
    const heat = heatOf(result, 'spend_usd', { rows: 2, columns: 2 });
    expect(heat.rows.map(({ name }) => name)).toEqual(['x', 'y']);
    expect(heat.tiles).toEqual([
      ['4', '1'],
      ['2', null],
    ]);
    expect(heat.elsewhere).toBe('0.5');
  });

  it('keeps small tiles visible', () => {
    expect(intensity('1', 4)).toBe(0.5);
    expect(intensity(null, 4)).toBe(0);
  });

  it('finds the tile of a call', () => {
    const event = { department: 'x' } as unknown as UsageEvent;
    expect(tileOf(event, 'department', 'task_type')).toBe('["x","unattributed"]');
  });
});
