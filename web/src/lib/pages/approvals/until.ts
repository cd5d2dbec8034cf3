/** Until when a grant may be asked for. */

import type { BudgetUse } from '../../api/budgets';
import { addDays, dayOf, fullDay, midnight, parseDay } from '../../zone';
import { isRolling } from '../budgets/words';

export const OTHER = 'day';

/** No grant holds longer. */
const DAYS_MOST = 90;
const DAY_MS = 86_400_000;

/** A few ends that make sense, the end of the window first where there is one. */
export function endsOf(
  use: BudgetUse,
  zone: string,
  now: Date = new Date(),
): { value: string; label: string }[] {
  const last = new Date(new Date(use.window_end).getTime() - 1);
  const ends = endsAfter([1, 3, 7], zone, now);
  const isNear = new Date(use.window_end).getTime() - now.getTime() <= DAYS_MOST * DAY_MS;
  if (!isRolling(use, now) && isNear) {
    const value = new Date(use.window_end).toISOString();
    return [
      { value, label: `The end of the window: ${fullDay(last, zone)}` },
      ...ends.filter((end) => end.value !== value),
    ];
  }
  return ends;
}

/** The ends of the days so many days from now, and any other. */
export function endsAfter(
  days: number[],
  zone: string,
  now: Date = new Date(),
): { value: string; label: string }[] {
  const today = dayOf(now, zone);
  const ends = days.map((count) => {
    const end = midnight(addDays(today, count + 1), zone);
    const last = fullDay(new Date(end.getTime() - 1), zone);
    const label = `${count} ${count === 1 ? 'day' : 'days'}: to the end of ${last}`;
    return { value: end.toISOString(), label };
  });
  return [...ends, { value: OTHER, label: 'Another day…' }];
}

/** The end of a day as a date field has it; null when it is none or has passed. */
export function endOfDay(text: string, zone: string, now: Date = new Date()): string | null {
  const day = parseDay(text);
  if (!day) return null;
  const end = midnight(addDays(day, 1), zone);
  return end > now ? end.toISOString() : null;
}
