/** What the API says of policies, violations, exceptions and the monthly meeting. */

import { type Asked, type AskedItem, type AskedState } from './approvals';
import { api } from './client';
import type { Page, Range, UsageEvent } from './types';

export type Severity = 'low' | 'medium' | 'high' | 'severe';
export type PolicyEffect = 'allow' | 'degrade' | 'reroute' | 'review' | 'deny';
export type PolicyDecision = 'log' | 'redact' | 'degrade' | 'reroute' | 'review' | 'deny';

export type RuleEffect =
  | 'allow'
  | 'deny'
  | 'review'
  | 'degrade'
  | 'register'
  | 'log'
  | { redact: string[] }
  | { reroute: string }
  | { degrade: { tier?: string | null; to?: string | null } };

export interface PolicyRule {
  id: string;
  when: string;
  then: RuleEffect;
  severity?: Severity | null;
  says: string;
  restore?: boolean;
  contain?: string | null;
}

export interface RuleOverride {
  id: string;
  then?: RuleEffect | null;
  off?: boolean;
  severity?: Severity | null;
  says?: string | null;
}

export interface PolicyOverride {
  for: { team: string } | { department: string } | { role: string };
  rules: RuleOverride[];
}

export interface PolicySpec {
  about?: string | null;
  shadow?: boolean | { teams: string[] } | null;
  rules: PolicyRule[];
  overrides?: PolicyOverride[];
  patterns?: { name: string; regex: string }[];
  tests?: unknown[];
}

export interface PolicyQuestion {
  person?: string;
  key?: string;
  workload?: string;
  model?: string;
  provider?: string;
  data_class?: string;
  task_type?: string;
  token_estimate?: number;
  images?: boolean;
  tools?: boolean;
}

export type Standing = 'acts' | 'waived' | 'shadow' | 'silent' | 'not_in_force';

export interface Overridden {
  by: string;
  field: string;
  inherited: string;
  value: string;
}

export interface RuleExplanation {
  rule: string;
  standing: Standing;
  decides: boolean;
  when: string;
  then: string;
  severity?: Severity | null;
  says: string;
  error?: string | null;
  overridden?: Overridden[];
  exception?: string | null;
  until?: string | null;
}

export interface PolicyAnswer {
  call: {
    person?: string;
    team?: string;
    workload?: { name: string } | null;
    environment: string;
    data_class: string;
    model?: string;
    tier?: string | null;
    provider?: { name: string } | null;
  };
  effect: PolicyEffect;
  rule?: string | null;
  says?: string | null;
  redact?: string[];
  restore: boolean;
  rules: RuleExplanation[];
  others: number;
}

export interface Violation {
  decision: PolicyDecision | null;
  severity: Severity | null;
  rule: string | null;
  says: string | null;
  event: UsageEvent;
}

export interface ExceptionScope {
  person?: string | null;
  team?: string | null;
  workload?: string | null;
  key?: string | null;
}

export interface ExceptionSpec extends Asked {
  rule: string;
  scope: ExceptionScope;
  from: string;
  renews?: string | null;
  renewals: number;
  architecture_review?: { by: string; at: string; note: string } | null;
}

export type Exception = AskedItem<ExceptionSpec>;

export interface NewException {
  rule: string;
  scope: ExceptionScope;
  reason: string;
  until: string;
  renews?: string;
}

export interface ExceptionPreview {
  exception: ExceptionSpec;
  repeats: string | null;
}

export interface AgendaException {
  name: string;
  what: string;
  rule: string;
  reason: string;
  requested_by: string;
  until: string;
  state: AskedState;
  renewals: number;
  repeats: string | null;
  architecture_review: string | null;
}

export interface Agenda {
  month: string;
  from: string;
  until: string;
  open: AgendaException[];
  expired: AgendaException[];
  repeated: AgendaException[];
  policy_changes: { at: string; by: string; policy: string; action: string; sequence: number }[];
  overdue_reviews: {
    workload: string;
    owner: string;
    reason: string | null;
    review_by: string | null;
  }[];
}

/** The ids of the operations that `me` lists. */
export const GUARDRAILS = {
  listPolicies: 'listPolicies',
  explain: 'explainPolicies',
  listViolations: 'listViolations',
  listExceptions: 'listExceptions',
  ask: 'createException',
  review: 'reviewException',
  agenda: 'getAgenda',
} as const;

export const explainPolicies = (
  question: PolicyQuestion,
  signal?: AbortSignal,
): Promise<PolicyAnswer> => api.post('/api/v1/policies/explain', question, { signal });

export interface ViolationsView {
  severity: string | null;
  rule: string | null;
  range: Range;
  after: string | null;
  limit: number;
}

export const listViolations = (
  { range, ...view }: ViolationsView,
  signal?: AbortSignal,
): Promise<Page<Violation>> =>
  api.get('/api/v1/violations', {
    query: { ...view, ...(typeof range === 'string' ? { range } : range) },
    signal,
  });

export const EXCEPTIONS_PATH = '/api/v1/exceptions';

export const previewException = (
  body: NewException,
  signal?: AbortSignal,
): Promise<ExceptionPreview> =>
  api.post(EXCEPTIONS_PATH, body, { query: { dry_run: true }, signal });

export const askForException = (body: NewException, idempotencyKey: string): Promise<Exception> =>
  api.post(EXCEPTIONS_PATH, body, { idempotencyKey });

export const recordReview = (
  name: string,
  note: string,
  idempotencyKey: string,
): Promise<Exception> =>
  api.post(
    `${EXCEPTIONS_PATH}/${encodeURIComponent(name)}/architecture-review`,
    { note },
    { idempotencyKey },
  );

export const getAgenda = (month: string | null, signal?: AbortSignal): Promise<Agenda> =>
  api.get('/api/v1/governance/agenda', { query: { month }, signal });
