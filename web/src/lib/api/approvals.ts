/**
 * What people ask for and others approve. Grants and exceptions are asked for, decided,
 * ended and told of in the same way; only what is asked for differs.
 */

import { api, at } from './client';
import { listAll } from './list';
import type { components } from './schema';
import type { Role } from './types';

type Schemas = components['schemas'];

export type AskedState = Schemas['GrantState'];
export type Need = Schemas['GrantNeed'];
export type Decision = Schemas['GrantDecision'];
export type TrailEntry = Schemas['Minute'];

/** The fields that everything has that somebody has to approve. */
export interface Asked {
  until: string;
  reason: string;
  requested_by?: string | null;
  requested_at: string;
  emergency?: boolean;
  needs: Need[];
  decisions?: Decision[];
  escalated_at?: string | null;
  state: AskedState;
}

export interface AskedItem<Spec extends Asked = Asked> {
  name: string;
  spec: Spec;
  created_at: string;
  updated_at: string;
}

export type AskedAction = 'approve' | 'deny' | 'revoke' | 'withdraw';

export type AskedOperation = AskedAction | 'list' | 'get' | 'ask' | 'trail';

/** One kind of it: where it is found, and how it is spoken of. */
export interface AskedKind<Spec extends Asked> {
  /** Its list, below the API. */
  path: string;
  /** Its page. */
  page: string;
  /** The ids that `me` lists. */
  operations: Record<AskedOperation, string>;
  /** What is asked for, in a few words. */
  title: (spec: Spec) => string;
  /** Who may end one without being asked. */
  managers: Role[];
}

export interface AskedView {
  state?: AskedState;
  mine?: true;
  to_decide?: true;
}

export const listAsked = <Spec extends Asked>(
  { path }: AskedKind<Spec>,
  view: AskedView,
  signal?: AbortSignal,
): Promise<AskedItem<Spec>[]> => listAll(path, { ...view }, signal);

export const getAsked = <Spec extends Asked>(
  { path }: AskedKind<Spec>,
  name: string,
  signal?: AbortSignal,
): Promise<AskedItem<Spec>> => api.get(path + at`/${name}`, { signal });

export const getTrail = async <Spec extends Asked>(
  { path }: AskedKind<Spec>,
  name: string,
  signal?: AbortSignal,
): Promise<TrailEntry[]> =>
  (await api.get<{ items: TrailEntry[] }>(path + at`/${name}/trail`, { signal })).items;

export const actOn = <Spec extends Asked>(
  { path }: AskedKind<Spec>,
  name: string,
  action: AskedAction,
  reason: string | null,
  idempotencyKey: string,
): Promise<AskedItem<Spec>> =>
  api.post(path + at`/${name}/${action}`, reason ? { reason } : {}, { idempotencyKey });
