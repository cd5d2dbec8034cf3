import { describe, expect, it } from 'vitest';
import type { Chargeback } from '../../api/statements';
import { flawsOf, formOf, holds, standings, withRule } from './rules';

const SOON: Chargeback = {
  model: 'production',
  from: '2026-12-01',
  history: [{ model: 'showback' }, { model: 'hybrid', from: '2026-10-01', quota_usd: '500' }],
};

describe('how a cost center is charged', () => {
  it('says what held, what holds and what will', () => {
    const all = standings(SOON, '2026-11-22');
    expect(all.map(({ rule, when, until }) => [rule.model, when, until])).toEqual([
      ['showback', 'then', '2026-10-01'],
      ['hybrid', 'now', '2026-12-01'],
      ['production', 'next', null],
    ]);
    expect(holds(all)?.quota_usd).toBe('500');
    expect(standings(null, '2026-11-22')).toEqual([]);
  });

  it('keeps what began earlier and gives up what would have begun later', () => {
    const form = { ...formOf(null, '2026-11-01'), model: 'quota' as const, quota: ' 250 ' };
    expect(withRule(SOON, form)).toEqual({
      model: 'quota',
      from: '2026-11-01',
      quota_usd: '250',
      history: SOON.history,
    });
    const again = { ...form, from: '2026-10-01' };
    expect(withRule(SOON, again).history).toEqual([{ model: 'showback' }]);
    expect(withRule(null, again).history).toBeUndefined();
  });

  it('leaves out what the model does not know', () => {
    const form = {
      model: 'showback' as const,
      from: '2027-01-01',
      quota: '5',
      until: '2027-02-01',
    };
    expect(withRule(null, form)).toEqual({ model: 'showback', from: '2027-01-01' });
  });

  it('finds what is wrong with a form', () => {
    const form = { model: 'quota' as const, from: '2026-12-02', quota: '', until: '' };
    expect(Object.keys(flawsOf(form))).toEqual(['from', 'quota']);
    expect(flawsOf({ ...form, from: '2026-12-01', quota: '10' })).toEqual({});
  });
});
