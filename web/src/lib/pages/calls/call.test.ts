import { describe, expect, it } from 'vitest';
import type { UsageEvent } from '../../api/types';
import { eventsQuery, lineLabel, marksOf, sumTokens, totalTokens } from './call';

const EVENT = {
  event_id: 'e',
  call_id: 'c',
  revision: 0,
  time: '2026-07-28T10:00:00Z',
  source: 'gateway',
  environment: 'production',
  status: 'ok',
  provider: 'openai',
  tokens: { input_uncached: 10, cache_read: 20, output: 5, reasoning: 3 },
  counts: 'reported',
  cost_list_usd: '0.1',
} as UsageEvent;

it('reasoning is a part of output and counted once', () => {
  expect(totalTokens(EVENT.tokens)).toBe(35);
});

it('attempts add up kind by kind', () => {
  const sum = sumTokens([EVENT.tokens, { input_uncached: 1, cache_write_1h: 2 }]);
  expect(sum).toMatchObject({ input_uncached: 11, cache_write_1h: 2, output: 5, reasoning: 3 });
  expect(totalTokens(sum)).toBe(38);
});

describe('marksOf', () => {
  const labels = (more: object) =>
    marksOf({ ...EVENT, ...more } as UsageEvent).map((mark) => mark.label);

  it('says nothing of an ordinary call', () => {
    expect(labels({})).toEqual([]);
  });

  it('a refused call has no price and needs none', () => {
    expect(labels({ cost_list_usd: undefined, status: 'refused' })).toEqual([]);
    expect(labels({ cost_list_usd: undefined })).toEqual(['unpriced']);
  });

  it('tells all there is to tell', () => {
    const all = {
      fallback: 'budget',
      counts: 'estimated',
      subscription: true,
      source: 'simulated',
    };
    expect(labels(all)).toEqual(['fallback', 'estimated', 'subscription', 'simulated']);
  });
});

it('the query of a page is that of its CSV', () => {
  const filters = [{ dimension: 'team', op: 'eq' as const, values: [`o'neil "x"`] }];
  expect(eventsQuery({ range: 'today', filters, after: null, limit: 50 })).toEqual({
    range: 'today',
    filters: JSON.stringify(filters),
    limit: '50',
  });
  const range = { from: '2026-07-01T00:00:00Z', to: '2026-07-02T00:00:00Z' };
  expect(eventsQuery({ range, filters: [], after: 'x,y', limit: 50 })).toEqual({
    ...range,
    after: 'x,y',
    limit: '50',
  });
});

it('lines of a price in words', () => {
  expect(lineLabel('cache_write_5m')).toBe('Cache write (5 min)');
  expect(lineLabel('tool:web_search')).toBe('Tool web_search');
  expect(lineLabel('request')).toBe('Request');
});
