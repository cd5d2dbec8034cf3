/** What the API says, as far as the pages use it. Money is a decimal string in US dollars. */

export type Role = 'viewer' | 'developer' | 'manager' | 'finops' | 'security' | 'auditor' | 'admin';

export type Sees = { kind: 'all' } | { kind: 'teams'; teams: string[] } | { kind: 'own' };

export interface Me {
  person: {
    name: string;
    display_name: string | null;
    email: string | null;
    team: string | null;
  } | null;
  key: string | null;
  roles: Role[];
  sees: Sees;
  csrf_token: string | null;
  session: { id: string; created: string; expires: string } | null;
  /** The operations this caller may use, by their ids in the OpenAPI document. */
  operations: string[];
  organization: {
    name: string;
    time_zone: string;
    currency: string;
    week_starts: string;
  };
  simulated: boolean;
  version: string;
}

export type FilterOp = 'eq' | 'ne' | 'in' | 'not_in' | 'is_null' | 'is_not_null' | 'prefix';

export interface Filter {
  dimension: string;
  op: FilterOp;
  values: string[];
}

export type Range = string | { from: string; to: string };
export type Compare = 'previous_period' | 'previous_week' | 'previous_month' | 'previous_year';
export type Grain = 'quarter_hour' | 'hour' | 'day' | 'week' | 'month' | 'quarter' | 'year';
export type Unit = 'usd' | 'tokens' | 'count' | 'ratio' | 'milliseconds' | 'number';

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

export type Cell = string | number | null;

export interface Column {
  name: string;
  label: string;
  kind: 'dimension' | 'time' | 'measure' | 'compare';
  unit: Unit | null;
}

export interface ResolvedRange {
  from: string;
  to: string;
  name: string;
}

export interface QueryResult {
  columns: Column[];
  rows: Cell[][];
  total: Cell[];
  range: ResolvedRange;
  compared_range: ResolvedRange | null;
  source: string;
  groups: number;
  truncated: boolean;
  warnings: string[];
  partial_bucket: string | null;
  time_zone: string;
}

export interface MeasureInfo {
  name: string;
  label: string;
  unit: Unit;
  description: string;
}

export interface DimensionInfo {
  name: string;
  label: string;
  description: string;
  fast: boolean;
}

export interface Catalog {
  measures: MeasureInfo[];
  dimensions: DimensionInfo[];
  ranges: string[];
}

export interface Page<T> {
  items: T[];
  next: string | null;
}

export interface Tokens {
  input_uncached?: number;
  cache_read?: number;
  cache_write_5m?: number;
  cache_write_1h?: number;
  output?: number;
  reasoning?: number;
}

/** One metered attempt of one call. A field that is not there is not known. */
export interface UsageEvent {
  event_id: string;
  call_id: string;
  revision: number;
  time: string;
  source: string;
  environment: string;
  status: string;
  provider: string;
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

export interface LiveBatch {
  time: string;
  interval_ms: number;
  calls: number;
  failed: number;
  tokens: number;
  spend_usd: string;
  items: UsageEvent[];
  omitted: number;
}
