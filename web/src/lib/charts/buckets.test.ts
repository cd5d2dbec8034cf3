import { describe, expect, it } from 'vitest';
import { bucketRange, bucketsOf, grainFor } from './buckets';

const BERLIN = 'Europe/Berlin';
const range = (from: string, to: string) => ({ from, to, name: 'x' });
const iso = (starts: number[]) => starts.map((start) => new Date(start).toISOString());
const later = new Date('2027-01-01T00:00:00Z');

describe('steps of time', () => {
  it('are about fifty', () => {
    expect(grainFor('last_hour')).toBe('quarter_hour');
    expect(grainFor('last_24_hours')).toBe('hour');
    expect(grainFor('last_7_days')).toBe('day');
    expect(grainFor('last_90_days')).toBe('day');
    expect(grainFor('this_year')).toBe('week');
    expect(grainFor({ from: '2020-01-01T00:00:00Z', to: '2026-01-01T00:00:00Z' })).toBe('month');
  });

  it('begin at local midnights, also when the clocks change', () => {
    const days = bucketsOf(
      range('2026-03-27T23:00:00Z', '2026-03-30T22:00:00Z'),
      'day',
      BERLIN,
      'monday',
      later,
    );
    expect(iso(days)).toEqual([
      '2026-03-27T23:00:00.000Z',
      '2026-03-28T23:00:00.000Z',
      '2026-03-29T22:00:00.000Z',
    ]);
  });

  it('begin with the week that holds the beginning', () => {
    const weeks = bucketsOf(
      range('2026-07-22T10:00:00Z', '2026-07-28T00:00:00Z'),
      'week',
      BERLIN,
      'monday',
      later,
    );
    expect(iso(weeks)).toEqual(['2026-07-19T22:00:00.000Z', '2026-07-26T22:00:00.000Z']);
  });

  it('end with the one that is going on', () => {
    const now = new Date('2026-07-22T10:20:00Z');
    const hours = bucketsOf(
      range('2026-07-22T08:00:00Z', '2026-07-23T00:00:00Z'),
      'hour',
      BERLIN,
      'monday',
      now,
    );
    expect(hours).toHaveLength(3);
  });

  it('follow zones that are ahead by half an hour', () => {
    const hours = bucketsOf(
      range('2026-07-21T18:30:00Z', '2026-07-21T20:30:00Z'),
      'hour',
      'Asia/Kolkata',
      'monday',
      later,
    );
    expect(iso(hours)).toEqual(['2026-07-21T18:30:00.000Z', '2026-07-21T19:30:00.000Z']);
  });

  it('are ranges of their own, within what was asked', () => {
    const start = new Date('2026-07-19T22:00:00Z').getTime();
    expect(bucketRange(start, 'week', BERLIN)).toEqual({
      from: '2026-07-19T22:00:00.000Z',
      to: '2026-07-26T22:00:00.000Z',
    });
    const within = range('2026-07-20T10:00:00Z', '2026-07-21T10:15:00Z');
    expect(bucketRange(start, 'week', BERLIN, within)).toEqual({
      from: '2026-07-20T10:00:00.000Z',
      to: '2026-07-21T10:15:00.000Z',
    });
  });
});
