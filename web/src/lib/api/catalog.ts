/** What the API says of workloads, of what none explains, of teams, and of access. */

import type { AskedItem } from './approvals';
import { api, at } from './client';
import type { components } from './schema';

type Schemas = components['schemas'];

export type WorkloadSpec = Schemas['WorkloadSpec'];
export type WorkloadState = Schemas['WorkloadState'];
export type Health = Schemas['Health'];
export type CatalogEntry = Schemas['CatalogEntry'];
export type ServiceCatalog = Schemas['ServiceCatalog'];
export type BaselineSpec = Schemas['BaselineSpec'];
export type Inventory = Schemas['Inventory'];
export type Unexplained = Schemas['Unexplained'];
export type TeamReadiness = Schemas['TeamReadiness'];
export type ReadinessItem = Schemas['ReadinessItem'];
export type AccessAsk = Schemas['AccessAsk'];
export type AccessSpec = Schemas['AccessRequestSpec'];
export type AccessRequest = AskedItem<AccessSpec>;
export type NewAccess = Schemas['NewAccessRequest'];

/** A workload as it is stored. */
export interface Workload {
  name: string;
  version: number;
  spec: WorkloadSpec;
  applied_by?: string | null;
}

/** The ids of the operations that `me` lists. */
export const CATALOG = {
  list: 'getCatalog',
  change: 'updateWorkload',
  approve: 'approveWorkload',
  retire: 'retireWorkload',
  review: 'reviewWorkload',
  baseline: 'freezeBaseline',
  baselines: 'listBaselines',
  inventory: 'getInventory',
  register: 'registerFromInventory',
  readiness: 'getReadiness',
  listAccess: 'listAccessRequests',
  askForAccess: 'createAccessRequest',
} as const;

export const getServiceCatalog = (_: unknown, signal?: AbortSignal): Promise<ServiceCatalog> =>
  api.get('/api/v1/catalog', { signal });

export const getWorkload = (name: string, signal?: AbortSignal): Promise<Workload> =>
  api.get(at`/api/v1/workloads/${name}`, { signal });

/** Refused when somebody else changed it since it was read. */
export const changeWorkload = ({ name, version, spec }: Workload): Promise<Workload> =>
  api.put(at`/api/v1/workloads/${name}`, { version, spec });

export const approveWorkload = (
  name: string,
  note: string | null,
  idempotencyKey: string,
): Promise<Workload> =>
  api.post(at`/api/v1/workloads/${name}/approve`, note ? { note } : {}, { idempotencyKey });

export const retireWorkload = (
  name: string,
  note: string,
  idempotencyKey: string,
): Promise<Workload> =>
  api.post(at`/api/v1/workloads/${name}/retire`, { note }, { idempotencyKey });

export const reviewWorkload = (
  name: string,
  review: { reason?: string; review_by: string; note?: string },
  idempotencyKey: string,
): Promise<Workload> => api.post(at`/api/v1/workloads/${name}/review`, review, { idempotencyKey });

export const freezeBaseline = (
  name: string,
  range: { from: string; to: string; note?: string },
  idempotencyKey: string,
): Promise<{ name: string; spec: BaselineSpec }> =>
  api.post(at`/api/v1/workloads/${name}/baseline`, range, { idempotencyKey });

export const getInventory = (_: unknown, signal?: AbortSignal): Promise<Inventory> =>
  api.get('/api/v1/inventory', { signal });

export interface Registration {
  name: string;
  key?: string;
  application?: string;
  user_agent?: string;
  spec: Partial<WorkloadSpec>;
}

export const register = (entry: Registration, idempotencyKey: string): Promise<Workload> =>
  api.post('/api/v1/inventory/register', entry, { idempotencyKey });

export const getReadiness = async (
  { team }: { team?: string },
  signal?: AbortSignal,
): Promise<TeamReadiness[]> =>
  (await api.get<{ items: TeamReadiness[] }>('/api/v1/readiness', { query: { team }, signal }))
    .items;

export const ACCESS_PATH = '/api/v1/access-requests';

export const previewAccess = (
  body: NewAccess,
  signal?: AbortSignal,
): Promise<{ access_request: AccessSpec }> =>
  api.post(ACCESS_PATH, body, { query: { dry_run: true }, signal });

export const askForAccess = (body: NewAccess, idempotencyKey: string): Promise<AccessRequest> =>
  api.post(ACCESS_PATH, body, { idempotencyKey });
