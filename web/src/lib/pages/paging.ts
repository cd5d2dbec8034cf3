/** Long lists are shown page by page; the address says which page. */

import { page } from '$app/state';

export const PAGE_SIZE = 100;

/** Counted from 0. */
export const pageNumber = (): number =>
  Math.max(0, Number(page.url.searchParams.get('page') ?? 0) || 0);

/** Those of all rows that the page shows. */
export function onPage<Row>(rows: Row[]): Row[] {
  const at = pageNumber();
  return rows.slice(at * PAGE_SIZE, (at + 1) * PAGE_SIZE);
}
