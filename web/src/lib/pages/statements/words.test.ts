import { describe, expect, it } from 'vitest';
import type { Line, StatementHead, StatementMonth } from '../../api/statements';
import { callsOf, csvOf, firstShown, lineName } from './words';

const line = (of: Partial<Line>) => ({ line: 'usage', ...of }) as Line;

describe('statements', () => {
  it('lead from a line to its calls, those of no workload, too', () => {
    const way = {
      from: '2026-09-30T22:00:00Z',
      to: '2026-10-31T23:00:00Z',
      filters: [
        { dimension: 'team', op: 'eq' as const, values: ['platform'] },
        { dimension: 'workload', op: 'is_null' as const },
      ],
    };
    const href = callsOf(line({ calls_filter: way }));
    const { searchParams } = new URL(href ?? '', 'https://tally.test');
    expect(searchParams.getAll('f')).toEqual(['team:eq:platform', 'workload:is_null:']);
    expect(searchParams.get('from')).toBe(way.from);
    expect(callsOf(line({ line: 'idle' }))).toBeNull();
  });

  it('name what a line is for', () => {
    expect(lineName(line({ workload: 'copilot' }))).toBe('copilot');
    expect(lineName(line({}))).toBe('No workload');
    expect(lineName(line({ line: 'idle', name: 'throughput' }))).toBe('Idle capacity: throughput');
    expect(lineName(line({ line: 'rounding' }))).toBe('Rounding');
  });

  it('begin with the newest month that is over', () => {
    const month = (period: string, isOver: boolean) =>
      ({ period, is_over: isOver }) as StatementMonth;
    const months = [month('2026-11', false), month('2026-10', true), month('2026-09', true)];
    expect(firstShown(months)).toBe('2026-10');
    expect(firstShown(months.slice(0, 1))).toBe('2026-11');
    expect(firstShown([])).toBeNull();
  });

  it('are a table with every digit', () => {
    const totals = { calls: 2, list_usd: '0.000000000001', charged_usd: '0.01' };
    const head = { name: '2026-10:-', state: 'draft', totals } as unknown as StatementHead;
    const [, row] = csvOf([head]).split('\r\n');
    expect(row).toContain('2026-10:-,,,draft,,,2,0.000000000001,');
  });
});
