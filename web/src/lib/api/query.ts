/** Questions to the metrics layer. */

import { send, typed } from './client';
import type { components } from './schema';
import type { Catalog, Cell, Query, QueryResult } from './types';

export async function ask(query: Query, signal?: AbortSignal): Promise<QueryResult> {
  // Names of measures and dimensions come from addresses; the server knows which exist.
  const body = query as components['schemas']['Query'];
  const { data } = await typed.POST('/api/v1/query', { body, signal });
  return data as QueryResult;
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
  catalog ??= typed.GET('/api/v1/query/catalog').then(
    ({ data }) => data as Catalog,
    (error: unknown) => {
      catalog = null;
      throw error;
    },
  );
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
