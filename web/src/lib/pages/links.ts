/** Addresses of other pages about the same calls. */

import type { Range } from '../api/types';
import { hrefWith } from '../urlstate';

/** Long enough for what one link is about: a task, a session, a person. */
const RANGE = 'last_90_days';

/** The calls that have all of these properties. */
export function callsHref(...conditions: [dimension: string, value: string][]): string {
  return hrefOf('/calls', RANGE, conditions);
}

/** A page that shows exactly these calls. */
export function hrefOf(
  path: string,
  range: Range,
  conditions: [dimension: string, value: string][],
  more: Record<string, string> = {},
): string {
  const filters = conditions.map(([dimension, value]) => ({
    dimension,
    op: 'eq' as const,
    values: [value],
  }));
  return hrefWith(path, { range, compare: 'previous_period', filters }, more);
}
