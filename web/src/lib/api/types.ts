/**
 * What the API says, from its OpenAPI document (`npm run types`). Money is a decimal
 * string in US dollars.
 */

import type { components } from './schema';

type Schemas = components['schemas'];

/** Fields that are not known are left out, never null. */
type Known<T> = { [Field in keyof T]: NonNullable<T[Field]> };

export type Me = Schemas['Me'];
export type Role = Schemas['Role'];
export type Sees = Schemas['Scope'];
export type QueryResult = Schemas['QueryResult'];
export type Column = Schemas['Column'];
export type Cell = Schemas['Cell'];
export type ResolvedRange = Schemas['ResolvedRange'];
export type Catalog = Schemas['Catalog'];
export type MeasureInfo = Schemas['MeasureInfo'];
export type DimensionInfo = Schemas['DimensionInfo'];
export type Tokens = Partial<Schemas['Tokens']>;
export type Unit = Schemas['Unit'];
export type Grain = Schemas['Grain'];
export type Compare = Schemas['Compare'];
export type FilterOp = Schemas['FilterOp'];
/** One metered attempt of one call. A field that is not there is not known. */
export interface UsageEvent {
  event_id: string;
  call_id: string;
  revision: number;
  time: string;
  source: string;
  environment: string;
  status: string;
  provider?: string;
  tokens: Tokens;
  person?: string;
  team?: string;
  department?: string;
  cost_center?: string;
  key?: string;
  workload?: string;
  workload_class?: string;
  application?: string;
  user_agent?: string;
  task_type?: string;
  task_id?: string;
  session?: string;
  value_tag?: string;
  tags?: Record<string, string>;
  model_served?: string;
  model_family?: string;
  model_requested?: string;
  tier?: string;
  cost_list_usd?: string;
  latency_us?: number;
  [field: string]: unknown;
}

/** The document's usage event is one of these: this line does not compile otherwise. */
export type Conforms<T extends UsageEvent = Known<Schemas['UsageEvent']>> = T;

export type LiveBatch = Omit<Schemas['LiveCalls'], 'items'> & {
  items: UsageEvent[];
  interval_ms?: number;
};

/** As addresses say it: names are checked by the server, which knows them. */
export interface Filter {
  dimension: string;
  op: FilterOp;
  values: string[];
}

export type Range = string | { from: string; to: string };

export interface Query {
  measures: string[];
  dimensions?: string[];
  filters?: Filter[];
  range: Range;
  grain?: Grain;
  compare?: Compare;
  order?: { by: string; desc?: boolean }[];
  limit?: number;
  offset?: number;
}

export interface Page<T> {
  items: T[];
  next: string | null;
}
