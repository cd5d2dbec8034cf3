/** What the API says of cost centers, statements, their months, and rate cards. */

import { api, at } from './client';
import type { components } from './schema';
import type { Filter } from './types';

type Schemas = components['schemas'];

export type Chargeback = Schemas['Chargeback'];
export type ChargebackRule = Schemas['ChargebackRule'];
export type ChargebackModel = Schemas['ChargebackModel'];
export type ChargebackPreview = Schemas['ChargebackPreview'];
export type CostCenterSpec = Schemas['CostCenterSpec'];
export type StatementState = Schemas['StatementState'];
export type StatementMonth = Schemas['StatementMonth'];
export type StatementHead = Schemas['StatementHead'];
export type Statements = Schemas['Statements'];
export type Totals = Schemas['StatementTotals'];
export type Comment = Schemas['PeriodComment'];
export type CommentKind = Schemas['CommentKind'];
export type Verified = Schemas['PeriodVerified'];
export type RateCardSpec = Schemas['RateCardSpec'];
export type RateCardPreview = Schemas['RateCardPreview'];
export type RateCardEffect = Schemas['RateCardEffect'];

/** Dimensions are as addresses say them. */
type Way = {
  from: string;
  to: string;
  filters: (Omit<Filter, 'values'> & { values?: string[] })[];
};
export type Line = Omit<Schemas['StatementLine'], 'calls_filter'> & { calls_filter?: Way | null };
export type Statement = Omit<Schemas['Statement'], 'lines'> & { lines: Line[] };
export type Showback = Omit<Schemas['Showback'], 'lines'> & { lines: Line[] };

/** The ids of the operations that `me` lists. */
export const BOOKS = {
  listCenters: 'listCostCenters',
  changeCenter: 'updateCostCenter',
  previewChargeback: 'previewChargeback',
  months: 'listStatementMonths',
  list: 'listStatements',
  get: 'getStatement',
  showback: 'listShowback',
  review: 'openReview',
  close: 'closePeriod',
  verify: 'verifyPeriod',
  comment: 'commentOnStatement',
  answer: 'answerComment',
  settle: 'settleDispute',
  focus: 'exportFocus',
  listCards: 'listRateCards',
  createCard: 'createRateCard',
  changeCard: 'updateRateCard',
  deleteCard: 'deleteRateCard',
  previewCard: 'previewRateCard',
} as const;

export const listMonths = async (
  cost_center: string | null,
  signal?: AbortSignal,
): Promise<StatementMonth[]> => {
  const query = { cost_center };
  const path = '/api/v1/statement-months';
  return (await api.get<{ items: StatementMonth[] }>(path, { query, signal })).items;
};

export const listStatements = (period: string, signal?: AbortSignal): Promise<Statements> =>
  api.get('/api/v1/statements', { query: { period }, signal });

export const getStatement = (name: string, signal?: AbortSignal): Promise<Statement> =>
  api.get(at`/api/v1/statements/${name}`, { signal });

export const listShowback = async (period: string, signal?: AbortSignal): Promise<Showback[]> =>
  (await api.get<{ items: Showback[] }>('/api/v1/showback', { query: { period }, signal })).items;

/** What is done to a month; sent twice with one key, it is done once. */
export const step = (
  period: string,
  verb: 'review' | 'close' | 'comments' | 'answer' | 'settle',
  body: unknown,
  idempotencyKey: string,
): Promise<unknown> =>
  api.post(at`/api/v1/periods/${period}` + `/${verb}`, body ?? undefined, { idempotencyKey });

export const verifyMonth = (period: string, signal?: AbortSignal): Promise<Verified> =>
  api.get(at`/api/v1/periods/${period}/verify`, { signal });

export const previewChargeback = (
  name: string,
  chargeback: Chargeback,
  period: string | null,
): Promise<ChargebackPreview> =>
  api.post(at`/api/v1/cost-centers/${name}/preview`, { chargeback, period });

export const previewCard = (spec: RateCardSpec, period: string | null): Promise<RateCardPreview> =>
  api.post('/api/v1/rate-cards/preview', { spec, period });

/** Where a statement is printed from, or downloaded. */
export const statementFile = (name: string, format: 'html' | 'csv'): string =>
  at`/api/v1/statements/${name}` + `?format=${format}`;

export const focusFile = (period: string, version: string, format: string): string =>
  `/api/v1/exports/focus?${new URLSearchParams({ period, version, format }).toString()}`;
