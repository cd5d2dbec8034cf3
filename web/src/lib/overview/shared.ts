/** What the cards of the overview ask in common. */

import type { Compare, Query } from '../api/types';
import { view } from '../data/view.svelte';

/** The range and filters of the bar; with `compare` also what to compare with. */
export function base(
  options: { compare?: boolean } = {},
): Pick<Query, 'range' | 'filters' | 'compare'> {
  const compare =
    options.compare && view.compare !== 'none' ? (view.compare satisfies Compare) : undefined;
  return { range: view.range, filters: view.filters, compare };
}
