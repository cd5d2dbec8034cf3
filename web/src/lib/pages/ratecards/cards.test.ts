import { describe, expect, it } from 'vitest';
import { type Card, percent, placed } from './cards';

const card = (name: string, from: string, until?: string) =>
  ({ name, spec: { from, until } }) as unknown as Card;

describe('rate cards in their order', () => {
  it('says which holds, which held and which will', () => {
    const cards = [card('b', '2026-10-01'), card('c', '2027-01-01'), card('a', '2026-01-01')];
    const all = placed(cards, '2026-11-22');
    expect(all.map(({ card: { name }, when, until }) => [name, when, until])).toEqual([
      ['c', 'next', null],
      ['b', 'now', '2027-01-01'],
      ['a', 'then', '2026-10-01'],
    ]);
  });

  it('knows that the last one may have ended', () => {
    const [last] = placed([card('a', '2026-01-01', '2026-11-01')], '2026-11-22');
    expect(last?.when).toBe('then');
  });

  it('says more and less in words that are no formula', () => {
    expect(['0', '4.5', '-10', undefined].map(percent)).toEqual([
      'list price',
      '+4.5\u202f%',
      '−10\u202f%',
      'list price',
    ]);
  });
});
