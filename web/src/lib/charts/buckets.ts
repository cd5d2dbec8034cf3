/** The steps of time of a range, as the metrics layer cuts it. */

import type { Grain, Range, ResolvedRange } from '../api/types';
import { type Day, addDays, dayOf, midnight, weekStart } from '../zone';

const HOUR_MS = 3_600_000;
const MOST = 2_000;

const DAYS: Record<string, number> = {
  last_hour: 1 / 24,
  last_24_hours: 1,
  today: 1,
  yesterday: 1,
  last_7_days: 7,
  this_week: 7,
  last_week: 7,
  last_30_days: 30,
  this_month: 31,
  last_month: 31,
  last_90_days: 90,
  this_quarter: 92,
  last_quarter: 92,
  this_year: 366,
  last_year: 366,
};

export function daysOf(range: Range): number {
  if (typeof range === 'string') return DAYS[range] ?? 7;
  return (new Date(range.to).getTime() - new Date(range.from).getTime()) / (24 * HOUR_MS);
}

/** The grain that cuts a range into about fifty steps. */
export function grainFor(range: Range): Grain {
  const days = daysOf(range);
  if (days <= 0.6) return 'quarter_hour';
  if (days <= 4) return 'hour';
  if (days <= 130) return 'day';
  return days <= 750 ? 'week' : 'month';
}

/** The starts of all steps that have begun, as milliseconds. */
export function bucketsOf(
  range: ResolvedRange,
  grain: Grain,
  zone: string,
  weekStarts: string,
  now: Date = new Date(),
): number[] {
  const from = new Date(range.from);
  const end = Math.min(new Date(range.to).getTime(), now.getTime() + 1);
  const starts: number[] = [];
  if (grain === 'quarter_hour' || grain === 'hour') {
    const step = grain === 'hour' ? HOUR_MS : HOUR_MS / 4;
    // Zones are ahead of UTC by whole quarters: the local hour begins with one of them.
    const shift = grain === 'hour' ? midnight(dayOf(from, zone), zone).getTime() % HOUR_MS : 0;
    let at = Math.floor((from.getTime() - shift) / step) * step + shift;
    for (; at < end && starts.length < MOST; at += step) starts.push(at);
    return starts;
  }
  let day = firstDay(dayOf(from, zone), grain, weekStarts);
  while (starts.length < MOST) {
    const at = midnight(day, zone).getTime();
    if (at >= end) break;
    starts.push(at);
    day = nextDay(day, grain);
  }
  return starts;
}

function firstDay(day: Day, grain: Grain, weekStarts: string): Day {
  switch (grain) {
    case 'week':
      return weekStart(day, weekStarts);
    case 'month':
      return { ...day, day: 1 };
    case 'quarter':
      return { year: day.year, month: day.month - ((day.month - 1) % 3), day: 1 };
    case 'year':
      return { year: day.year, month: 1, day: 1 };
    default:
      return day;
  }
}

function nextDay(day: Day, grain: Grain): Day {
  const months = { month: 1, quarter: 3, year: 12 }[grain as 'month'] ?? 0;
  if (months === 0) return addDays(day, grain === 'week' ? 7 : 1);
  const month = day.month + months;
  return month > 12 ? { year: day.year + 1, month: month - 12, day: 1 } : { ...day, month };
}

/** From the start of a step to the start of the next, as far as both are in the range asked. */
export function bucketRange(
  start: number,
  grain: Grain,
  zone: string,
  within?: ResolvedRange,
): { from: string; to: string } {
  let from = new Date(start);
  let to: Date;
  if (grain === 'quarter_hour') to = new Date(start + HOUR_MS / 4);
  else if (grain === 'hour') to = new Date(start + HOUR_MS);
  else to = midnight(nextDay(dayOf(from, zone), grain), zone);
  if (within) {
    from = new Date(Math.max(from.getTime(), new Date(within.from).getTime()));
    to = new Date(Math.min(to.getTime(), new Date(within.to).getTime()));
  }
  return { from: from.toISOString(), to: to.toISOString() };
}
