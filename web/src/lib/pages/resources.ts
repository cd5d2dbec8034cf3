/** Resources of the control plane, as the pages use them. */

import { api, at } from '../api/client';
import { listAll } from '../api/list';
import type { components } from '../api/schema';
import type { Role } from '../api/types';

export interface Resource<Spec> {
  kind: string;
  name: string;
  version: number;
  spec: Spec;
  applied_by?: string | null;
  created_at: string;
  updated_at: string;
}

export interface PersonSpec {
  display_name?: string;
  email?: string;
  team?: string;
  roles: Role[];
}

export interface TeamSpec {
  manager?: string;
  department?: string;
  cost_center?: string;
}

export interface KeySpec {
  person?: string;
  workload?: string;
  workloads?: string[];
  roles?: Role[];
  scopes?: string[];
  secret?: { env: string } | { sha256: string; prefix: string };
  expires_at?: string;
  revoked?: boolean;
  suspended?: components['schemas']['KeySuspension'] | null;
  reinstated?: components['schemas']['KeyReinstatement'] | null;
}

export interface ModelSpec {
  provider?: string;
  routes?: { provider: string; upstream_name?: string }[];
  tier: string;
  cheaper?: string;
  aliases?: string[];
  family?: string;
}

export interface ProviderSpec {
  dialect: string;
  base_url: string;
  api_key?: { env: string } | { file: string };
  data_classes?: string[];
  zero_retention?: boolean;
  prices?: string;
}

export function listResources<Spec>(
  kinds: string,
  signal?: AbortSignal,
): Promise<Resource<Spec>[]> {
  return listAll<Resource<Spec>>(at`/api/v1/${kinds}`, {}, signal);
}

export function getResource<Spec>(
  kinds: string,
  name: string,
  signal?: AbortSignal,
): Promise<Resource<Spec>> {
  return api.get<Resource<Spec>>(at`/api/v1/${kinds}/${name}`, { signal });
}
