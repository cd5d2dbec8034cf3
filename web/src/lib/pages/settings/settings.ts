/** What the settings pages ask for and change. */

import { api, at } from '../../api/client';
import type { Page, Role } from '../../api/types';

export interface SignedInSession {
  id: string;
  created: string;
  last_seen: string;
  expires: string;
  user_agent: string;
  current: boolean;
}

export interface Account {
  person: string;
  joined: string | null;
  last_sign_in: string | null;
  sessions: number;
  disabled: boolean;
}

export interface Invitation {
  id: string;
  person: string;
  created: string;
  expires: string;
  created_by: string;
}

/** An invitation as it is made: its link is shown this once. */
export interface MadeLink {
  id: string;
  person: string;
  expires: string;
  link: string;
}

export interface Status {
  version: string;
  time: string;
  node: string;
  problems: unknown[];
  resources: { revision: number; revision_in_effect: number };
  warehouse: string;
  journal: {
    open_intents: number;
    last_sequence: number;
    shipped_sequence: number;
    settlements_waiting: number;
  };
}

export const setPassword = (current: string, password: string): Promise<void> =>
  api.post('/api/v1/me/password', { current, new: password });

export const listSessions = (_: unknown, signal: AbortSignal): Promise<Page<SignedInSession>> =>
  api.get('/api/v1/me/sessions', { signal });

export const endSession = (id: string): Promise<void> => api.delete(at`/api/v1/me/sessions/${id}`);

export const invite = (person: string, idempotencyKey: string): Promise<MadeLink> =>
  api.post('/api/v1/invitations', { person }, { idempotencyKey });

export const withdraw = (id: string): Promise<void> => api.delete(at`/api/v1/invitations/${id}`);

export type AccountChange = 'disable' | 'enable' | 'sign-out';

export const changeAccount = (person: string, change: AccountChange): Promise<void> =>
  api.post(at`/api/v1/accounts/${person}/${change}`);

export interface NewPerson {
  name: string;
  spec: { display_name?: string; email?: string; team?: string; roles: Role[] };
}

export const createPerson = (person: NewPerson): Promise<void> =>
  api.post('/api/v1/people', person);

export const getStatus = (_: unknown, signal: AbortSignal): Promise<Status> =>
  api.get('/api/v1/status', { signal });

export const ROLES: { name: Role; meaning: string }[] = [
  { name: 'viewer', meaning: 'reads dashboards' },
  { name: 'developer', meaning: 'makes calls, sees own usage' },
  { name: 'manager', meaning: 'sees and approves for the team' },
  { name: 'finops', meaning: 'budgets, statements, prices' },
  { name: 'security', meaning: 'policies, violations, exceptions' },
  { name: 'auditor', meaning: 'reads everything, changes nothing' },
  { name: 'admin', meaning: 'changes everything' },
];
