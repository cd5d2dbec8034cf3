import { describe, expect, it } from 'vitest';
import {
  addDays,
  bucketTick,
  dayOf,
  isoDay,
  midnight,
  parseDay,
  spanName,
  weekStart,
} from './zone';

const BERLIN = 'Europe/Berlin';

describe('days of a zone', () => {
  it('begin at its midnight, also when the clocks change', () => {
    const at = (text: string) => {
      const day = parseDay(text);
      return day && midnight(day, BERLIN).toISOString();
    };
    expect(at('2026-07-01')).toBe('2026-06-30T22:00:00.000Z');
    expect(at('2026-03-29')).toBe('2026-03-28T23:00:00.000Z');
    expect(at('2026-03-30')).toBe('2026-03-29T22:00:00.000Z');
    expect(at('2026-10-25')).toBe('2026-10-24T22:00:00.000Z');
    expect(at('2026-10-26')).toBe('2026-10-25T23:00:00.000Z');
  });

  it('begin at one where midnight is skipped', () => {
    const day = { year: 2026, month: 3, day: 29 };
    expect(midnight(day, 'Asia/Beirut').toISOString()).toBe('2026-03-28T22:00:00.000Z');
  });

  it('are counted over the ends of months', () => {
    expect(isoDay(addDays({ year: 2026, month: 2, day: 27 }, 3))).toBe('2026-03-02');
    expect(parseDay('2026-02-30')).toBeNull();
    expect(dayOf(new Date('2026-06-30T22:30:00Z'), BERLIN)).toEqual({
      year: 2026,
      month: 7,
      day: 1,
    });
  });

  it('belong to a week of the organisation', () => {
    const wednesday = { year: 2026, month: 7, day: 29 };
    expect(isoDay(weekStart(wednesday, 'monday'))).toBe('2026-07-27');
    expect(isoDay(weekStart(wednesday, 'sunday'))).toBe('2026-07-26');
    expect(isoDay(weekStart({ year: 2026, month: 7, day: 26 }, 'monday'))).toBe('2026-07-20');
  });
});

describe('names of time', () => {
  it('say a span by its first and last day', () => {
    expect(spanName('2026-07-19T22:00:00Z', '2026-07-26T22:00:00Z', BERLIN)).toBe(
      'Mon 20 Jul – Sun 26 Jul',
    );
    expect(spanName('2026-07-19T22:00:00Z', '2026-07-20T09:15:00Z', BERLIN)).toBe('Mon 20 Jul');
  });

  it('put the day where the hours begin again', () => {
    expect(bucketTick('2026-07-19T22:00:00Z', 'hour', BERLIN)).toBe('20 Jul');
    expect(bucketTick('2026-07-20T07:00:00Z', 'hour', BERLIN)).toBe('09:00');
  });
});
