import { describe, expect, it } from 'vitest';
import {
  amount,
  amountExact,
  brief,
  compare,
  isZero,
  minus,
  percent,
  plus,
  readAmount,
  shareOf,
} from './amount';

describe('amounts', () => {
  it('are exact in dollars, tokens and calls, whatever their size', () => {
    const large = { usd: '90071992547409931.123456789012' };
    expect(plus(large, { usd: '0.000000000001' })).toEqual({
      usd: '90071992547409931.123456789013',
    });
    expect(amountExact(large)).toBe('$90,071,992,547,409,931.123456789012 USD');
    expect(plus({ tokens: '18446744073709551614' }, { tokens: 1 })).toEqual({
      tokens: '18446744073709551615',
    });
    expect(amountExact({ tokens: '18446744073709551615' })).toBe(
      '18,446,744,073,709,551,615 tokens',
    );
    expect(minus({ requests: 3 }, { requests: 5 })).toEqual({ requests: -2 });
    expect(compare({ usd: '0.10' }, { usd: '0.1' })).toBe(0);
    expect(compare({ tokens: '9007199254740993' }, { tokens: '9007199254740992' })).toBe(1);
    expect([isZero({ usd: '0.00' }), isZero({ usd: '0.000000000001' }), isZero(null)]).toEqual([
      true,
      false,
      true,
    ]);
  });

  it('are short where they are read', () => {
    expect(brief({ usd: '2000' })).toBe('$2,000');
    expect(brief({ usd: '1687.431286' })).toBe('$1,687');
    expect(brief({ usd: '12.5' })).toBe('$12.50');
    expect(brief({ usd: '120000' })).toBe('$120k');
    expect(amount({ tokens: 2_000_000 })).toBe('2.00M\u00a0tokens');
    expect(amount({ requests: 1 })).toBe('1\u00a0call');
    expect(amount(null)).toBe('–');
    expect(amountExact(undefined)).toBe('not known');
  });

  it('are shares that never reach all too early', () => {
    expect(shareOf({ usd: '1' }, { usd: '3' })).toBe(0.333333);
    expect(percent(shareOf({ usd: '1999.999999' }, { usd: '2000' }))).toBe('99.9\u202f%');
    expect(percent(shareOf({ usd: '2000' }, { usd: '2000' }))).toBe('100\u202f%');
    expect(percent(shareOf({ usd: '2500' }, { usd: '2000' }))).toBe('125\u202f%');
    expect(percent(0.812)).toBe('81.2\u202f%');
    expect([shareOf({ usd: '0' }, { usd: '0' }), shareOf({ usd: '1' }, { usd: '0' })]).toEqual([
      0,
      Infinity,
    ]);
  });

  it('are read as people type them', () => {
    expect(readAmount('$1,250.50', 'usd')).toEqual({ usd: '1250.5' });
    expect(readAmount(' 0.000000000001 ', 'usd')).toEqual({ usd: '0.000000000001' });
    expect(readAmount('2M', 'tokens')).toEqual({ tokens: 2_000_000 });
    expect(readAmount('1.5k', 'requests')).toEqual({ requests: 1_500 });
    expect(readAmount('18446744073709551615', 'tokens')).toEqual({
      tokens: '18446744073709551615',
    });
  });

  it('are refused where they are none', () => {
    for (const text of ['', '0', '-5', 'a lot', '1e5', '0.0000000000001', '1.2.3']) {
      expect(readAmount(text, 'usd'), text).toBeNull();
    }
    expect(readAmount('1.5', 'tokens')).toBeNull();
  });
});
