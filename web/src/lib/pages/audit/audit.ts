/** What the pages of the audit log ask for. */

import { api } from '../../api/client';
import type { components } from '../../api/schema';
import type { Page } from '../../api/types';

type Schemas = components['schemas'];

export interface AuditEntry {
  sequence: number;
  time: string;
  actor: string;
  action: string;
  kind: string;
  name: string;
  version: number;
  before?: unknown;
  after?: unknown;
  note?: string;
}

/** A signed statement of how many entries there are, and what they are. */
export type Checkpoint = Schemas['AuditCheckpoint'];
export type LogKey = Schemas['AuditKey'];

export const AUDIT = {
  list: 'listAudit',
  checkpoint: 'getAuditCheckpoint',
  sign: 'createAuditCheckpoint',
  proof: 'getAuditProof',
  export: 'exportAudit',
  keys: 'listAuditKeys',
} as const;

/** Where the whole log is downloaded from. */
export const EXPORT_PATH = '/api/v1/audit/export';

export const getCheckpoint = (_: unknown, signal?: AbortSignal): Promise<Checkpoint> =>
  api.get('/api/v1/audit/checkpoint', { signal });

export const signCheckpoint = (): Promise<Checkpoint> => api.post('/api/v1/audit/checkpoints');

export const listLogKeys = async (_: unknown, signal?: AbortSignal): Promise<LogKey[]> =>
  (await api.get<{ keys: LogKey[] }>('/api/v1/audit/keys', { signal })).keys;

/** The entry and its proof as a file: one line, as `tally audit verify` reads it. */
export async function proofOf(entry: number): Promise<Blob> {
  const proof = await api.get<unknown>('/api/v1/audit/proof', { query: { entry } });
  return new Blob([`${JSON.stringify(proof)}\n`], { type: 'application/json' });
}

export interface AuditView {
  kind: string | null;
  name: string | null;
  after: string | null;
}

export const AUDIT_PAGE = 50;

export const listAudit = (view: AuditView, signal: AbortSignal): Promise<Page<AuditEntry>> =>
  api.get('/api/v1/audit', { query: { ...view, order: 'desc', limit: AUDIT_PAGE }, signal });

/** One entry, wherever in the log it stands. */
export async function getEntry(sequence: number, signal?: AbortSignal): Promise<AuditEntry | null> {
  const query = { order: 'desc', after: sequence + 1, limit: 1 };
  const { items } = await api.get<Page<AuditEntry>>('/api/v1/audit', { query, signal });
  return items.find((entry) => entry.sequence === sequence) ?? null;
}

export const KINDS = [
  'Organization',
  'Provider',
  'Model',
  'PriceList',
  'CostCenter',
  'Team',
  'Person',
  'Workload',
  'Key',
  'Budget',
  'Grant',
  'Policy',
  'Exception',
  'AccessRequest',
  'Baseline',
  'RateCard',
  'Period',
];
