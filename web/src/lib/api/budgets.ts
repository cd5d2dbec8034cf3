/** What the API says of budgets, grants and notifications; all their paths are here. */

import type { Asked, AskedItem } from './approvals';
import { api, at } from './client';
import { listAll } from './list';
import type { Page } from './types';

/** Counts are written as decimal strings where a number would not hold them. */
export type BudgetLimit =
  { usd: string } | { tokens: number | string } | { requests: number | string };

export interface CounterId {
  budget: string;
  each?: string;
  environment?: string;
}

export type BudgetState = 'ok' | 'notified' | 'approval' | 'degraded' | 'denied';
export type StageRole =
  'owner' | 'person' | 'manager' | 'workload_owner' | 'finops' | 'security' | 'webhook';

export interface StageDegrade {
  to?: string | null;
  tier?: string | null;
  reasoning_effort?: string | null;
  max_context_tokens?: number | null;
  max_output_tokens?: number | null;
}

export interface BudgetStage {
  at: number;
  notify?: StageRole[];
  approval?: StageRole[];
  pending?: 'continue' | 'degrade' | 'deny' | null;
  degrade?: StageDegrade | null;
  deny?: boolean;
}

export interface StageUse {
  stage: BudgetStage;
  reached_at?: string | null;
  approved?: boolean | null;
}

export interface BudgetUse {
  counter: CounterId;
  window_start: string;
  window_end: string;
  limit: BudgetLimit;
  limit_declared: BudgetLimit;
  carried: BudgetLimit;
  granted: BudgetLimit;
  settled: BudgetLimit;
  reserved: BudgetLimit;
  overage: BudgetLimit;
  ceiling?: BudgetLimit | null;
  projected?: BudgetLimit | null;
  exhausted_at?: string | null;
  state: BudgetState;
  stage?: number | null;
  stages: StageUse[];
}

export interface BudgetScope {
  organization?: string | null;
  department?: string | null;
  cost_center?: string | null;
  team?: string | null;
  person?: string | null;
  role?: string | null;
  workload?: string | null;
  workload_class?: string | null;
  key?: string | null;
  each?: 'person' | 'team' | 'workload' | null;
  environment?: string | null;
  tier?: string | null;
  model?: string | null;
  provider?: string | null;
  task_type?: string | null;
}

export interface BudgetSpec {
  owner: string;
  scope: BudgetScope;
  limit: BudgetLimit;
  environment_limits?: Record<string, BudgetLimit>;
  window: { calendar: string } | { rolling_hours: number };
  stages?: BudgetStage[];
  count?: 'uncached' | 'all';
  carry_over?: boolean;
  approvers?: StageRole[];
  escalate_after_hours?: number;
  emergency?: boolean;
}

export interface StageEvent {
  id: string;
  grant?: string | null;
  counter: CounterId;
  window_start: string;
  window_end: string;
  stage: BudgetStage;
  round: number;
  limit: BudgetLimit;
  settled: BudgetLimit;
  at: string;
  exhausted_at?: string | null;
  person?: string | null;
  workload?: string | null;
  top_workload?: string | null;
}

export type GrantAsk = { increase: BudgetLimit } | { pass_stage: number };

export interface GrantSpec extends Asked {
  counter: CounterId;
  ask: GrantAsk;
}

export type Grant = AskedItem<GrantSpec>;

export interface GrantRequest {
  counter: CounterId;
  increase: BudgetLimit;
  until: string;
  reason: string;
  emergency?: boolean;
}

export interface GrantPreview {
  grant: GrantSpec;
  /** Null while nothing has counted against it. */
  use: BudgetUse | null;
  above: BudgetUse | null;
}

export interface Notice {
  id: string;
  at: string;
  title: string;
  body: string;
  link: string;
  read_at?: string | null;
}

export interface Delivery {
  id: string;
  at: string;
  channel: 'email' | 'webhook' | 'slack';
  to: string;
  title: string;
  state: 'waiting' | 'delivered' | 'failed';
  attempts: number;
  last_error?: string | null;
  delivered_at?: string | null;
}

/** The ids of the operations that `me` lists. */
export const OPERATIONS = {
  listBudgets: 'listBudgets',
  getBudget: 'getBudget',
  changeBudget: 'updateBudget',
  listUse: 'listBudgetUse',
  getUse: 'getBudgetUse',
  mine: 'listMyBudgets',
  stageEvents: 'listBudgetEvents',
  listGrants: 'listGrants',
  getGrant: 'getGrant',
  ask: 'createGrant',
  approve: 'approveGrant',
  deny: 'denyGrant',
  revoke: 'revokeGrant',
  withdraw: 'withdrawGrant',
  trail: 'getGrantTrail',
  notices: 'listNotifications',
  deliveries: 'listDeliveries',
  retry: 'retryDelivery',
} as const;

export interface Of {
  name: string;
  each?: string | null;
  environment?: string | null;
}

export const GRANTS_PATH = '/api/v1/grants';

export const listUses = (of: { budget?: string }, signal?: AbortSignal): Promise<BudgetUse[]> =>
  listAll('/api/v1/budget-use', { ...of }, signal);

export const firstUses = (_: unknown, signal?: AbortSignal): Promise<Page<BudgetUse>> =>
  api.get('/api/v1/budget-use', { query: { limit: 1_000 }, signal });

export const getUse = ({ name, ...query }: Of, signal?: AbortSignal): Promise<BudgetUse> =>
  api.get(at`/api/v1/budgets/${name}/use`, { query, signal });

export const myUses = async (_: unknown, signal?: AbortSignal): Promise<BudgetUse[]> =>
  (await api.get<{ items: BudgetUse[] }>('/api/v1/me/budgets', { signal })).items;

export const listStageEvents = (
  { name, each }: Of,
  signal?: AbortSignal,
): Promise<Listed<StageEvent>> =>
  api.get(at`/api/v1/budgets/${name}/events`, { query: { each, limit: 200 }, signal });

export const previewGrant = (body: GrantRequest, signal?: AbortSignal): Promise<GrantPreview> =>
  api.post(GRANTS_PATH, body, { query: { dry_run: true }, signal });

export const askForGrant = (body: GrantRequest, idempotencyKey: string): Promise<Grant> =>
  api.post(GRANTS_PATH, body, { idempotencyKey });

/** Some lists go on after a number, some after a name. */
export interface Listed<T> {
  items: T[];
  next: string | number | null;
}

export interface Notices extends Listed<Notice> {
  unread: number;
}

export const listNotices = (
  query: { unread?: true; limit: number; after?: string | null },
  signal?: AbortSignal,
): Promise<Notices> => api.get('/api/v1/notifications', { query, signal });

export const readNotices = (which: { ids: string[] } | { all: true }): Promise<void> =>
  api.post('/api/v1/notifications/read', which);

export const listDeliveries = (
  query: { state: string | null; after: string | null },
  signal?: AbortSignal,
): Promise<Listed<Delivery>> =>
  api.get('/api/v1/deliveries', { query: { ...query, limit: 50 }, signal });

export const retryDelivery = (id: string): Promise<void> =>
  api.post(at`/api/v1/deliveries/${id}/retry`);
