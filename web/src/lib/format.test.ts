import { describe, expect, it } from 'vitest';
import { add, parseDecimal, subtract, toText } from './decimal';
import {
  axisText,
  change,
  columnFormat,
  count,
  countExact,
  money,
  moneyExact,
  ms,
  plain,
  ratio,
} from './format';

describe('money', () => {
  it('is short where it is big and precise where it is small', () => {
    expect(money('0')).toBe('$0.00');
    expect(money('3.2051')).toBe('$3.21');
    expect(money('9999.99')).toBe('$9,999.99');
    expect(money('12399.5')).toBe('$12.4k');
    expect(money('999950')).toBe('$1.00M');
    expect(money('1234567890.12')).toBe('$1.23B');
    expect(money('0.0042')).toBe('$0.004200');
    expect(money('0.01234')).toBe('$0.0123');
    expect(money('-12.3')).toBe('−$12.30');
  });

  it('never passes through a float', () => {
    expect(moneyExact('90071992547409931.123456789012')).toBe(
      '$90,071,992,547,409,931.123456789012 USD',
    );
    expect(moneyExact('5')).toBe('$5.00 USD');
    const [a, b] = [parseDecimal('0.1'), parseDecimal('0.2')];
    expect(a && b && toText(add(a, b))).toBe('0.3');
    expect(a && b && toText(subtract(a, b))).toBe('-0.1');
  });

  it('is rounded half away from zero', () => {
    expect(money('0.005', 2)).toBe('$0.01');
    expect(money('-0.005', 2)).toBe('−$0.01');
    expect(money('2.675', 2)).toBe('$2.68');
  });

  it('says when it is not known', () => {
    expect(money(null)).toBe('–');
    expect(moneyExact(null)).toBe('not known');
    expect(money('1e5')).toBe('–');
  });

  it('has one number of decimals in a column', () => {
    const text = columnFormat('usd', ['0.5', '12.3456', null]);
    expect([text('0.5'), text('12.3456'), text(null)]).toEqual(['$0.50', '$12.35', '–']);
    const small = columnFormat('usd', ['0.0123', '0.02', '1.5']);
    expect([small('0.0123'), small('1.5')]).toEqual(['$0.0123', '$1.5000']);
    const large = columnFormat('usd', ['0.0123', '0.02', '150']);
    expect([large('0.0123'), large('150')]).toEqual(['$0.01', '$150.00']);
  });
});

describe('counts', () => {
  it('are short above ten thousand', () => {
    expect(count(9_999)).toBe('9,999');
    expect(count(12_345)).toBe('12.3k');
    expect(count(1_234_567)).toBe('1.23M');
    expect(count(60_000_000_000_000)).toBe('60.0T');
    expect(count('170141183460469231731')).toBe('170,141P');
    expect(countExact('170141183460469231731')).toBe('170,141,183,460,469,231,731');
  });

  it('keep the decimals of means', () => {
    expect(plain(1234.56)).toBe('1,235');
    expect(plain(12.34)).toBe('12.3');
  });
});

describe('axes', () => {
  it('say round values without empty decimals', () => {
    expect([0, 6_000_000, 1_500_000].map((value) => axisText(value, 'tokens'))).toEqual([
      '0',
      '6M',
      '1.50M',
    ]);
    expect([0, 0.5, 2, 40_000].map((value) => axisText(value, 'usd'))).toEqual([
      '$0',
      '$0.50',
      '$2',
      '$40k',
    ]);
    expect(axisText(40_000, 'milliseconds')).toBe('40\u202fs');
  });
});

describe('shares, durations and changes', () => {
  it('carry their unit', () => {
    expect(ratio(0.0372)).toBe('3.7\u202f%');
    expect(ms(812.3)).toBe('812\u202fms');
    expect(ms(3_400)).toBe('3.40\u202fs');
    expect(ms(125_000)).toBe('2\u202fm 05\u202fs');
  });

  it('say how much, or why not', () => {
    expect(change('110', '100')).toBe('+10.0\u202f%');
    expect(change(90, 100)).toBe('−10.0\u202f%');
    expect(change(100.01, 100)).toBe('±0\u202f%');
    expect(change(5, 0)).toBe('new');
    expect(change(3_000, 100)).toBe('×30.0');
    expect(change(null, 100)).toBeNull();
  });
});
