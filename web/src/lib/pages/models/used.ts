/** Models as they are used and as they are configured, side by side. */

import { UNATTRIBUTED, indexOf } from '../../api/query';
import type { Cell, QueryResult } from '../../api/types';
import { numberOf } from '../../format';
import type { ModelSpec, Resource } from '../resources';

export const MODEL_MEASURES = [
  'spend_usd',
  'calls',
  'tokens',
  'latency_p95_ms',
  'fallback_rate',
  'calls_unpriced',
];

export interface ModelRow {
  name: string;
  /** By measure; empty for a model nobody used. */
  cells: Record<string, Cell>;
  spec: ModelSpec | null;
}

/** Every model that was used or is configured; what is not known stands last. */
export function modelRows(result: QueryResult, models: Resource<ModelSpec>[]): ModelRow[] {
  const specs = new Map(models.map((model) => [model.name, model.spec]));
  const at = indexOf(result, 'model');
  const used = result.rows.map((row): ModelRow => {
    const name = String(row[at] ?? UNATTRIBUTED);
    const cells = Object.fromEntries(
      result.columns.map((column, index) => [column.name, row[index] ?? null]),
    );
    return { name, cells, spec: specs.get(name) ?? null };
  });
  const names = new Set(used.map((row) => row.name));
  const idle = models
    .filter((model) => !names.has(model.name))
    .map((model): ModelRow => ({ name: model.name, cells: {}, spec: model.spec }));
  const known = used.filter((row) => row.name !== UNATTRIBUTED);
  return [...known, ...idle, ...used.filter((row) => row.name === UNATTRIBUTED)];
}

/** Through whom a model is reached. */
export function routesOf(spec: ModelSpec | null): string {
  if (!spec) return '';
  if (spec.provider) return spec.provider;
  return (spec.routes ?? []).map((route) => route.provider).join(', then ');
}

/** How much of a model's usage has no known price. */
export function unpricedOf(row: ModelRow): { calls: number; all: boolean } {
  const calls = numberOf(row.cells.calls_unpriced) ?? 0;
  return { calls, all: calls > 0 && calls === numberOf(row.cells.calls) };
}
