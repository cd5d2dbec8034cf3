import { expect, it } from 'vitest';
import type { QueryResult } from '../../api/types';
import type { ModelSpec, Resource } from '../resources';
import { modelRows, routesOf, unpricedOf } from './used';

const result = {
  columns: ['model', 'calls', 'calls_unpriced'].map((name) => ({ name })),
  rows: [
    ['unattributed', 9, 0],
    ['gpt-5', 4, 4],
    ['retired', 3, 1],
  ],
} as unknown as QueryResult;

const model = (name: string, spec: Partial<ModelSpec>) =>
  ({ name, spec: { tier: 'frontier', ...spec } }) as Resource<ModelSpec>;

it('holds what is used and what is configured, the unknown last', () => {
  const rows = modelRows(result, [model('gpt-5', {}), model('idle', {})]);
  expect(rows.map((row) => [row.name, row.spec !== null])).toEqual([
    ['gpt-5', true],
    ['retired', false],
    ['idle', true],
    ['unattributed', false],
  ]);
  expect(rows.map(unpricedOf).map(({ all }) => all)).toEqual([true, false, false, false]);
  expect(unpricedOf(rows[1] as (typeof rows)[number]).calls).toBe(1);
});

it('routes in their order', () => {
  expect(routesOf({ tier: 'economy', provider: 'openai' })).toBe('openai');
  const routes = [{ provider: 'openai' }, { provider: 'azure' }];
  expect(routesOf({ tier: 'economy', routes })).toBe('openai, then azure');
  expect(routesOf(null)).toBe('');
});
