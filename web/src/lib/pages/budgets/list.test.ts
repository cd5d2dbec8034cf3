import { describe, expect, it } from 'vitest';
import type { BudgetSpec, BudgetState } from '../../api/budgets';
import type { QueryResult } from '../../api/types';
import { burnOf } from './burn';
import { useOf } from './fixtures';
import { byUrgency, countWords, csvOf, isShown, rowsOf } from './list';
import { cumulative, filtersOf, sparkBatches, sparksOf } from './usage';

const named = (budget: string, state: BudgetState, used: string, more = {}) =>
  useOf({ counter: { budget }, state, settled: { usd: used }, ...more });

describe('the order', () => {
  it('is the worst state first, then who runs out first, then the most used', () => {
    const uses = [
      named('ok-most', 'ok', '1300'),
      named('ok-soon', 'ok', '900', { exhausted_at: '2026-11-23T00:00:00Z' }),
      named('told', 'notified', '1500'),
      named('asked', 'approval', '1650'),
      named('less', 'degraded', '2100'),
      named('stopped', 'denied', '2400'),
      named('told-later', 'notified', '1700', { exhausted_at: '2026-11-29T00:00:00Z' }),
    ];
    expect(uses.toSorted(byUrgency).map((use) => use.counter.budget)).toEqual([
      'stopped',
      'less',
      'asked',
      'told-later',
      'told',
      'ok-soon',
      'ok-most',
    ]);
  });

  it('groups the counters of one budget under the worst of them', () => {
    const each = (name: string, state: BudgetState, used: string) =>
      useOf({
        counter: { budget: 'each-person', each: name },
        state,
        settled: { usd: used },
      });
    const uses = [
      each('ada', 'ok', '10'),
      named('alone', 'notified', '1500'),
      each('bob', 'degraded', '2200'),
    ];
    const closed = rowsOf(uses, 'urgency', () => false);
    expect(
      closed.map((row) => (row.kind === 'group' ? row.budget : row.use.counter.budget)),
    ).toEqual(['each-person', 'alone']);
    const open = rowsOf(uses, 'urgency', (budget) => budget === 'each-person');
    expect(open.map((row) => (row.kind === 'counter' ? row.use.counter.each : 'group'))).toEqual([
      'group',
      'bob',
      'ada',
      undefined,
    ]);
    expect(countWords(uses)).toBe('1 degraded, 1 heads-up, 1 OK');
  });

  it('finds by words and by state', () => {
    const use = named('support-month', 'notified', '1500');
    const shown = (state: BudgetState | 'attention' | null, search: string) =>
      isShown(use, 'grace', { state, search });
    expect([shown(null, ''), shown(null, 'SUPP grace'), shown(null, 'ada')]).toEqual([
      true,
      true,
      false,
    ]);
    expect([shown('attention', ''), shown('notified', ''), shown('ok', '')]).toEqual([
      true,
      true,
      false,
    ]);
  });
});

describe('the file', () => {
  it('has every digit, quotes what needs it and holds no formulas', () => {
    const use = useOf({
      counter: { budget: 'a', each: '=1+1' },
      settled: { usd: '0.000000000001' },
      limit: { tokens: '18446744073709551615' },
    });
    const [head = '', line = ''] = csvOf([use], () => 'grace, hopper').split('\r\n');
    expect(head.startsWith('budget,each,environment,owner,state')).toBe(true);
    expect(line).toContain('a,\'=1+1,,"grace, hopper",ok,');
    expect(line).toContain('tokens,18446744073709551615');
    expect(line).toContain('0.000000000001');
    expect(line.match(/,/g)?.length).toBe((head.match(/,/g)?.length ?? 0) + 1);
  });
});

describe('the calls behind a budget', () => {
  const spec = (patch: Partial<BudgetSpec>): BudgetSpec => ({
    owner: 'grace',
    scope: {},
    limit: { usd: '1' },
    window: { calendar: 'month' },
    ...patch,
  });

  it('are those of its scope, of whom, and of its environment', () => {
    const scope = { team: 'support', each: 'person' as const };
    expect(filtersOf({ budget: 'b', each: 'ada' }, spec({ scope }))).toEqual([
      { dimension: 'team', op: 'eq', values: ['support'] },
      { dimension: 'person', op: 'eq', values: ['ada'] },
    ]);
    const apart = spec({ environment_limits: { production: { usd: '5' } } });
    expect(filtersOf({ budget: 'b' }, apart)).toEqual([
      { dimension: 'environment', op: 'not_in', values: ['production'] },
    ]);
    expect(filtersOf({ budget: 'b', environment: 'production' }, apart)).toEqual([
      { dimension: 'environment', op: 'eq', values: ['production'] },
    ]);
    expect(filtersOf({ budget: 'b' }, spec({ scope: { role: 'intern' } }))).toBeNull();
  });

  it('are asked for with one question per shape', () => {
    const specs: Record<string, BudgetSpec> = {
      people: spec({ scope: { each: 'person' } }),
      ada: spec({ scope: { person: 'ada' }, limit: { requests: 1 } }),
      roles: spec({ scope: { role: 'intern' } }),
    };
    const uses = [
      useOf({ counter: { budget: 'people', each: 'ada' } }),
      useOf({ counter: { budget: 'people', each: 'bob' } }),
      useOf({ counter: { budget: 'ada' }, limit: { requests: 1 } }),
      useOf({ counter: { budget: 'roles' } }),
      useOf({ counter: { budget: 'unknown' } }),
    ];
    const [batch, ...others] = sparkBatches(uses, (budget) => specs[budget]);
    expect(others).toEqual([]);
    expect(batch?.query).toMatchObject({
      measures: ['calls', 'spend_usd'],
      dimensions: ['person'],
      filters: [{ dimension: 'person', op: 'in', values: ['ada', 'bob'] }],
    });
    const day = '2026-11-21T23:00:00Z';
    const result = {
      columns: ['time', 'person', 'calls', 'spend_usd'].map((name) => ({ name })),
      rows: [
        [day, 'ada', 3, '1.5'],
        [day, 'bob', 7, '9'],
      ],
      truncated: false,
    } as unknown as QueryResult;
    if (!batch) throw new Error('no batch');
    const sparks = sparksOf(batch, result, [new Date(day).getTime()]);
    expect([...sparks.values()]).toEqual([[1.5], [9], [3]]);
    expect(sparksOf(batch, { ...result, truncated: true }, []).size).toBe(0);
  });

  it('add up exactly', () => {
    expect(cumulative(['0.1', '0.2', null, 3])).toEqual(['0.1', '0.3', '0.3', '3.3']);
  });

  it('are drawn over the whole window, as far as it has come', () => {
    const use = useOf({
      settled: { usd: '30' },
      projected: { usd: '90' },
      window_start: '2026-11-21T23:00:00Z',
      window_end: '2026-11-28T23:00:00Z',
    });
    const result = {
      columns: ['time', 'spend_usd'].map((name) => ({ name })),
      rows: [
        ['2026-11-21T23:00:00Z', '10'],
        ['2026-11-23T23:00:00Z', '20'],
      ],
      range: { from: '2026-11-21T23:00:00Z', to: '2026-11-28T23:00:00Z' },
      partial_bucket: '2026-11-23T23:00:00Z',
      time_zone: 'Europe/Berlin',
    } as unknown as QueryResult;
    const now = new Date('2026-11-24T12:00:00Z');
    const burn = burnOf(use, result, {
      measure: 'spend_usd',
      grain: 'day',
      weekStarts: 'monday',
      now,
    });
    expect(burn.starts.length).toBe(7);
    expect(burn.sums).toEqual(['10', '10', '30']);
    expect([burn.partial, burn.limit, burn.top]).toEqual([2, 2000, 2000]);
    expect(burn.projection).toEqual({
      from: [now.getTime(), 30],
      to: [new Date('2026-11-28T23:00:00Z').getTime(), 90],
    });
  });
});
