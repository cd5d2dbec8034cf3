/** What the API says of policies, violations, exceptions and the monthly meeting. */

import type { AskedItem } from './approvals';
import { api, at } from './client';
import type { components } from './schema';
import type { Page, Range, UsageEvent } from './types';

type Schemas = components['schemas'];

export type Severity = Schemas['Severity'];
export type PolicyEffect = Schemas['PolicyEffect'];
export type PolicyDecision = Schemas['PolicyDecision'];
export type RuleEffect = Schemas['RuleEffect'];
export type PolicyRule = Schemas['PolicyRule'];
export type RuleOverride = Schemas['RuleOverride'];
export type PolicyOverride = Schemas['PolicyOverride'];
export type PolicySpec = Schemas['PolicySpec'];
export type PolicyQuestion = Schemas['PolicyQuestion'];
export type PolicyAnswer = Schemas['PolicyAnswer'];
export type RuleExplanation = Schemas['RuleExplanation'];
export type Standing = Schemas['Standing'];
/** The event is as all pages know it; the rest is as the document says. */
export type Violation = Omit<Schemas['Violation'], 'event'> & { event: UsageEvent };

export type Acknowledgement = Schemas['Acknowledgement'];

export type ExceptionScope = Schemas['ExceptionScope'];
export type ExceptionSpec = Schemas['ExceptionSpec'];
export type Exception = AskedItem<ExceptionSpec>;
export type NewException = Schemas['NewException'];
export type ExceptionPreview = Schemas['ExceptionPreview'];
export type Agenda = Schemas['Agenda'];
export type AgendaException = Schemas['AgendaException'];

/** The ids of the operations that `me` lists. */
export const GUARDRAILS = {
  listPolicies: 'listPolicies',
  explain: 'explainPolicies',
  listViolations: 'listViolations',
  acknowledge: 'acknowledgeViolation',
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
  acknowledged: string | null;
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

export const acknowledgeViolation = (event: string, note: string): Promise<Acknowledgement> =>
  api.post(at`/api/v1/violations/${event}/acknowledge`, { note });

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
