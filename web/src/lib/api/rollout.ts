/** What the API says of cost centers on their way to being charged, of sprints and reviews. */

import { api, at } from './client';
import type { components } from './schema';

type Schemas = components['schemas'];

export type Stage = Schemas['RolloutStage'];
export type Gate = Schemas['RolloutGate'];
export type GateResult = Schemas['GateResult'];
export type Progress = Schemas['RolloutProgress'];
export type RolloutStep = Schemas['RolloutStep'];
export type Sprint = Schemas['SprintReport'];
export type TargetProgress = Schemas['TargetProgress'];
export type TargetMeasure = Schemas['TargetMeasure'];
export type TargetScope = Schemas['TargetScope'];
export type TargetVerdict = Schemas['TargetVerdict'];
export type NewTarget = Schemas['NewTarget'];
export type Offenders = Schemas['Offenders'];
export type Review = Schemas['QuarterlyReviewReport'];
export type ReviewChange = Schemas['ReviewChange'];
export type ReviewSubject = Schemas['ReviewSubject'];
export type NewDecision = Schemas['NewDecision'];

/** The ids of the operations that `me` lists. */
export const ROLLOUT = {
  list: 'getRolloutStages',
  move: 'moveRollout',
  sprint: 'getSprintPage',
  setTarget: 'setTarget',
  withdraw: 'withdrawTarget',
  closeSprint: 'closeSprint',
  review: 'getReviewPage',
  decide: 'recordDecision',
  closeReview: 'closeReview',
} as const;

export const listRollouts = async (_: unknown, signal?: AbortSignal): Promise<Progress[]> =>
  (await api.get<{ items: Progress[] }>('/api/v1/rollout/stages', { signal })).items;

export const moveRollout = (
  name: string,
  move: { to: Stage; reason?: string; override?: boolean },
  idempotencyKey: string,
): Promise<unknown> => api.post(at`/api/v1/rollouts/${name}/move`, move, { idempotencyKey });

export const getSprint = (month: string, signal?: AbortSignal): Promise<Sprint> =>
  api.get('/api/v1/rollout/sprint', { query: { month }, signal });

export const setTarget = (
  month: string,
  target: NewTarget,
  idempotencyKey: string,
): Promise<unknown> => api.post(at`/api/v1/sprints/${month}/targets`, target, { idempotencyKey });

export const withdrawTarget = (
  month: string,
  target: number,
  reason: string,
  idempotencyKey: string,
): Promise<unknown> =>
  api.post(at`/api/v1/sprints/${month}/withdraw`, { target, reason }, { idempotencyKey });

export const closeSprint = (
  month: string,
  note: string,
  idempotencyKey: string,
): Promise<unknown> =>
  api.post(at`/api/v1/sprints/${month}/close`, note ? { note } : {}, { idempotencyKey });

export const REVIEW_PATH = '/api/v1/rollout/review';

export const getReview = (quarter: string, signal?: AbortSignal): Promise<Review> =>
  api.get(REVIEW_PATH, { query: { quarter }, signal });

export const recordDecision = (
  quarter: string,
  decision: NewDecision,
  idempotencyKey: string,
): Promise<unknown> =>
  api.post(at`/api/v1/quarterly-reviews/${quarter}/decisions`, decision, { idempotencyKey });

export const closeReview = (
  quarter: string,
  closing: { attendees: string[]; note?: string },
  idempotencyKey: string,
): Promise<unknown> =>
  api.post(at`/api/v1/quarterly-reviews/${quarter}/close`, closing, { idempotencyKey });
