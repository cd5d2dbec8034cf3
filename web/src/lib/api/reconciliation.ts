/** What the API says of providers' bills: their differences, and what is decided about them. */

import { api, at } from './client';
import type { components } from './schema';

type Schemas = components['schemas'];

export type Bill = Schemas['ListedReconciliation'];
export type BillFormat = Schemas['BillFormat'];
export type Reconciliation = Schemas['Reconciliation'];
export type Variance = Schemas['ReconciledVariance'];
export type VarianceKind = Schemas['VarianceKind'];
export type ImportedBill = Schemas['ImportedBill'];
export type NewBill = Omit<Schemas['ProviderBill'], 'dry_run'> & { dry_run?: boolean };

/** The ids of the operations that `me` lists. */
export const BILLS = {
  list: 'listReconciliations',
  read: 'getReconciliation',
  import: 'importBill',
  approve: 'approveAdjustments',
  reject: 'rejectAdjustments',
  post: 'postAdjustments',
} as const;

const PATH = '/api/v1/reconciliations';

export const listBills = (
  query: { provider: string | null; limit: number },
  signal?: AbortSignal,
): Promise<{ items: Bill[] }> => api.get(PATH, { query, signal });

export const getBill = (name: string, signal?: AbortSignal): Promise<Reconciliation> =>
  api.get(at`/api/v1/reconciliations/${name}`, { signal });

export const importBill = (bill: NewBill, idempotencyKey?: string): Promise<ImportedBill> =>
  api.post(PATH, bill, { idempotencyKey });

export const approveAdjustments = (
  name: string,
  body: { numbers: number[]; cost_center: string | null; reason: string },
): Promise<Reconciliation> => api.post(at`/api/v1/reconciliations/${name}/approve`, body);

export const rejectAdjustments = (
  name: string,
  body: { numbers: number[]; reason: string },
): Promise<Reconciliation> => api.post(at`/api/v1/reconciliations/${name}/reject`, body);

export const postAdjustments = (name: string, numbers: number[]): Promise<Reconciliation> =>
  api.post(at`/api/v1/reconciliations/${name}/post`, { numbers });
