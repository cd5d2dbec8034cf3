/** What can be done with keys. */

import { api, at } from '../../api/client';
import { columnOf, indexOf } from '../../api/query';
import type { QueryResult } from '../../api/types';
import { numberOf } from '../../format';
import type { KeySpec, Resource } from '../resources';

export interface MadeKey {
  resource: Resource<KeySpec>;
  /** For the only time. */
  secret: string;
  note: string;
  in_effect: boolean;
}

export interface NewKey {
  name: string;
  spec: {
    person?: string;
    workload?: string;
    scopes?: string[];
    expires_at?: string;
  };
}

export const createKey = (key: NewKey, idempotencyKey: string): Promise<MadeKey> =>
  api.post('/api/v1/keys', key, { idempotencyKey });

export const rotateKey = (name: string): Promise<MadeKey> =>
  api.post(at`/api/v1/keys/${name}/rotate`);

export const revokeKey = (name: string): Promise<{ note?: string }> =>
  api.post(at`/api/v1/keys/${name}/revoke`);

export const suspendKey = (name: string, reason: string): Promise<unknown> =>
  api.post(at`/api/v1/keys/${name}/suspend`, { reason });

export const reinstateKey = (name: string, note: string): Promise<unknown> =>
  api.post(at`/api/v1/keys/${name}/reinstate`, { note });

export const SCOPES = [
  { name: 'gateway', label: 'AI calls', hint: 'through the gateway' },
  { name: 'ingest', label: 'Reports', hint: 'post outcomes and usage events' },
  { name: 'read', label: 'Read', hint: 'read by the API what you may see' },
  { name: 'write', label: 'Change', hint: 'change by the API what you may change' },
] as const;

export const EXPIRIES = [
  { value: '30', label: 'In 30 days' },
  { value: '90', label: 'In 90 days' },
  { value: '365', label: 'In a year' },
  { value: '', label: 'Never' },
];

const DAY_MS = 24 * 3_600_000;

/** The instant so many days from now; none for a key that never expires. */
export function expiry(days: string, now: Date = new Date()): string | undefined {
  return days === '' ? undefined : new Date(now.getTime() + Number(days) * DAY_MS).toISOString();
}

/** The day each key was last used on, from an answer by key and day. */
export function lastUses(result: QueryResult | null): Map<string, string> {
  const uses = new Map<string, string>();
  if (!result) return uses;
  const keys = columnOf(result, 'key');
  const times = columnOf(result, 'time');
  const calls = indexOf(result, 'calls');
  result.rows.forEach((row, index) => {
    const [key, time] = [String(keys[index]), String(times[index])];
    if ((numberOf(row[calls]) ?? 0) > 0 && (uses.get(key) ?? '') < time) uses.set(key, time);
  });
  return uses;
}
