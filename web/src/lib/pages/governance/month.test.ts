import { describe, expect, it } from 'vitest';
import { isMonth, monthAfter, monthName, monthOf } from './month';

describe('a month', () => {
  it('is that of the organization, and goes over the end of a year', () => {
    expect(monthOf(new Date('2026-11-30T23:30:00Z'), 'Europe/Berlin')).toBe('2026-12');
    expect(monthAfter('2026-12', 1)).toBe('2027-01');
    expect(monthAfter('2026-01', -1)).toBe('2025-12');
    expect(monthName('2026-11')).toBe('November 2026');
  });

  it('is written in one way', () => {
    expect(['2026-11', '2026-13', '2026-1', '', null].map(isMonth)).toEqual([
      true,
      false,
      false,
      false,
      false,
    ]);
  });
});
