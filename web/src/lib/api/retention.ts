/** How long personal data is kept, and prompts that are kept for a while. */

import { api, at } from './client';
import type { components } from './schema';

type Schemas = components['schemas'];

export type Retention = Schemas['Retention'];
export type RetentionClass = Schemas['RetentionClass'];
export type RetentionPastRun = Schemas['RetentionPastRun'];
export type RetentionRun = Schemas['RetentionRun'];
export type KeptPrompt = Schemas['KeptPrompt'];
export type KeptPromptContent = Schemas['KeptPromptContent'];

/** The ids of the operations that `me` lists. */
export const RETENTION = {
  view: 'getRetention',
  run: 'runRetention',
  prompt: 'getKeptPrompt',
  read: 'readKeptPrompt',
} as const;

/** A shorter reason is refused. */
export const REASON_CHARACTERS_MIN = 10;

export const getRetention = (_: unknown, signal?: AbortSignal): Promise<Retention> =>
  api.get('/api/v1/retention', { signal });

export const runRetention = (dryRun: boolean): Promise<RetentionRun> =>
  api.post('/api/v1/retention/run', { dry_run: dryRun });

export const findPrompt = (event: string, signal?: AbortSignal): Promise<KeptPrompt | null> =>
  api
    .get<Schemas['KeptPromptOf']>(at`/api/v1/events/${event}/prompt`, { signal })
    .then(({ prompt }) => prompt ?? null);

export const readPrompt = (event: string, reason: string): Promise<KeptPromptContent> =>
  api.post(at`/api/v1/events/${event}/prompt`, { reason });
