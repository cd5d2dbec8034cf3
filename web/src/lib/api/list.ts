/** Lists that are read page by page. */

import { type RequestOptions, api } from './client';
import type { Page } from './types';

const PAGE = 1_000;
/** More than this is not listed whole; a page that needs more has to search. */
const PAGES_MAX = 20;

/** All items of a list. */
export async function listAll<T>(
  path: string,
  query: NonNullable<RequestOptions['query']> = {},
  signal?: AbortSignal,
): Promise<T[]> {
  const items: T[] = [];
  let after: string | null = null;
  for (let page = 0; page < PAGES_MAX; page += 1) {
    const answer: Page<T> = await api.get<Page<T>>(path, {
      query: { ...query, limit: PAGE, after },
      signal,
    });
    items.push(...answer.items);
    after = answer.next ?? null;
    if (after === null) break;
  }
  return items;
}
