/** What the API says of templates, savings stories and what else people share. */

import { api, at } from './client';
import type { components } from './schema';

type Schemas = components['schemas'];

export type Library = Schemas['TemplateLibrary'];
export type TemplateSummary = Schemas['TemplateSummary'];
export type TemplateSpec = Schemas['TemplateSpec'];
export type TemplateVersion = Schemas['TemplateVersion'];
export type TemplateVariable = Schemas['TemplateVariable'];
export type Measured = Schemas['TemplateMeasured'];
export type Measurement = Schemas['TemplateMeasurement'];
export type Rendered = Schemas['RenderedTemplate'];
export type NewTemplate = Schemas['TemplateDraft'];
export type NewVersion = Schemas['TemplateVersionDraft'];
export type Wall = Schemas['StoryWall'];
export type ToldStory = Schemas['ToldStory'];
export type StoryClaim = Schemas['StoryClaim'];
export type StoryResult = Schemas['StoryResult'];
export type Verdict = Schemas['StoryVerdict'];
export type Contribution = Schemas['ContributionSpec'];
export type ContributionText = Schemas['ContributionText'];

/** The ids of the operations that `me` lists. */
export const SHARING = {
  search: 'searchTemplates',
  starter: 'importStarter',
  write: 'newTemplate',
  wall: 'getStoryWall',
  tell: 'tellStory',
  contributions: 'listContributions',
} as const;

export const searchLibrary = (
  query: { search: string; task_type: string | null; to_review: boolean | null },
  signal?: AbortSignal,
): Promise<Library> => api.get('/api/v1/library', { query, signal });

export const importStarter = (idempotencyKey: string): Promise<Schemas['ImportedTemplates']> =>
  api.post('/api/v1/library/starter', {}, { idempotencyKey });

export const getEffect = (name: string, signal?: AbortSignal): Promise<Measured> =>
  api.get(at`/api/v1/templates/${name}/effect`, { signal });

export const renderTemplate = (
  name: string,
  fill: { variables: Record<string, string>; version?: number },
): Promise<Rendered> => api.post(at`/api/v1/templates/${name}/render`, fill);

export const newTemplate = (template: NewTemplate, idempotencyKey: string): Promise<unknown> =>
  api.post('/api/v1/templates', template, { idempotencyKey });

/** A step of a template: `versions`, `submit`, `review`, `evaluations`, `retire`. */
export const templateStep = (
  name: string,
  step: 'versions' | 'submit' | 'review' | 'evaluations' | 'retire',
  body: object,
  idempotencyKey: string,
): Promise<unknown> => api.post(at`/api/v1/templates/${name}/${step}`, body, { idempotencyKey });

export const getWall = (
  query: { search: string; verdict: string | null },
  signal?: AbortSignal,
): Promise<Wall> => api.get('/api/v1/story-wall', { query, signal });

export const previewStory = (claim: StoryClaim): Promise<StoryResult> =>
  api.post('/api/v1/story-preview', claim);

export const tellStory = (
  name: string,
  claim: StoryClaim,
  idempotencyKey: string,
): Promise<unknown> => api.post('/api/v1/stories', { name, claim }, { idempotencyKey });

export const storyStep = (
  name: string,
  step: 'measure' | 'withdraw',
  idempotencyKey: string,
): Promise<unknown> => api.post(at`/api/v1/stories/${name}/${step}`, {}, { idempotencyKey });

export const offerContribution = (
  name: string,
  shared: ContributionText,
  idempotencyKey: string,
): Promise<unknown> => api.post('/api/v1/contributions', { name, shared }, { idempotencyKey });

export const decideContribution = (
  name: string,
  confirms: boolean,
  idempotencyKey: string,
): Promise<unknown> =>
  api.post(at`/api/v1/contributions/${name}/decide`, { confirms }, { idempotencyKey });
