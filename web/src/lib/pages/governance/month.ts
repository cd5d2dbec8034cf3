/** Months as addresses have them: 2026-11. */

import { dayOf } from '../../zone';

export const isMonth = (text: string | null): text is string =>
  text !== null && /^\d{4}-(0[1-9]|1[0-2])$/.test(text);

export function monthOf(instant: Date, zone: string): string {
  const { year, month } = dayOf(instant, zone);
  return `${year}-${String(month).padStart(2, '0')}`;
}

/** So many months later, or earlier. */
export function monthAfter(month: string, count: number): string {
  const [year = 0, number = 1] = month.split('-').map(Number);
  return new Date(Date.UTC(year, number - 1 + count, 1)).toISOString().slice(0, 7);
}

/** November 2026 */
export function monthName(month: string): string {
  return new Intl.DateTimeFormat('en-GB', {
    timeZone: 'UTC',
    month: 'long',
    year: 'numeric',
  }).format(new Date(`${month}-01T00:00:00Z`));
}
