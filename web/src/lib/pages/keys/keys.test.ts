import { expect, it } from 'vitest';
import type { QueryResult } from '../../api/types';
import { expiry, lastUses } from './keys';
import { snippets } from './snippets';

it('the last day with a call counts, in whatever order they come', () => {
  const result = {
    columns: ['key', 'time', 'calls'].map((name) => ({ name })),
    rows: [
      ['a', '2026-07-03T00:00:00Z', 1],
      ['a', '2026-07-01T00:00:00Z', 5],
      ['a', '2026-07-04T00:00:00Z', 0],
      ['b', '2026-07-02T00:00:00Z', 2],
    ],
  } as unknown as QueryResult;
  expect([...lastUses(result)]).toEqual([
    ['a', '2026-07-03T00:00:00Z'],
    ['b', '2026-07-02T00:00:00Z'],
  ]);
  expect(lastUses(null).size).toBe(0);
});

it('a key expires so many days from now, or never', () => {
  const now = new Date('2026-07-01T12:00:00Z');
  expect(expiry('30', now)).toBe('2026-07-31T12:00:00.000Z');
  expect(expiry('', now)).toBeUndefined();
});

it('every snippet holds the address and the secret', () => {
  for (const { text } of snippets('https://tally.acme.test', 'tally_s3cret')) {
    expect(text).toContain('https://tally.acme.test');
    expect(text.split('tally_s3cret')).toHaveLength(2);
  }
});
