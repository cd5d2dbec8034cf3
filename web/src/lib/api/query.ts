/** Questions to the metrics layer. */

import { api, send } from './client';
import type { Catalog, Cell, Query, QueryResult } from './types';

export function ask(query: Query, signal?: AbortSignal): Promise<QueryResult> {
  // Asking changes nothing, so a repeated question needs no key.
  return api.post<QueryResult>('/api/v1/query', query, { signal });
}

/** The same answer as a CSV file. */
export async function askCsv(query: Query): Promise<{ blob: Blob; truncated: boolean }> {
  const response = await send('POST', '/api/v1/query?format=csv', query, {
    headers: { accept: 'text/csv' },
  });
  return {
    blob: await response.blob(),
    truncated: response.headers.get('x-tally-truncated') === 'true',
  };
}

let catalog: Promise<Catalog> | null = null;

/** What can be asked; fetched once. */
export function getCatalog(): Promise<Catalog> {
  catalog ??= api.get<Catalog>('/api/v1/query/catalog').catch((error: unknown) => {
    catalog = null;
    throw error;
  });
  return catalog;
}

/** Where a column is, by its name. */
export function indexOf(result: QueryResult, name: string): number {
  return result.columns.findIndex((column) => column.name === name);
}

/** One cell of the total row. */
export function totalOf(result: QueryResult | null, name: string): Cell {
  if (!result) return null;
  return result.total[indexOf(result, name)] ?? null;
}

/** All cells of one column. */
export function columnOf(result: QueryResult, name: string): Cell[] {
  const at = indexOf(result, name);
  return result.rows.map((row) => row[at] ?? null);
}

/** How the metrics layer calls what is not known. */
export const UNATTRIBUTED = 'unattributed';
