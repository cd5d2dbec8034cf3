/** One call's whole story, as the API tells it, and words for its parts. */

import { api, at } from '../../api/client';
import type { components } from '../../api/schema';
import type { Filter, Page, Range, Tokens, UsageEvent } from '../../api/types';
import { words } from '../../format';

type Schemas = components['schemas'];

export type PriceLine = Schemas['PriceLine'];
export type Outcome = Schemas['Outcome'];
/** The event is as all pages know it; the rest is as the document says. */
export interface Attempt {
  event: UsageEvent;
  price: Schemas['PriceBreakdown'] | null;
}
export type Call = Omit<Schemas['Call'], 'attempts'> & { attempts: Attempt[] };

export const getCall = (id: string, signal?: AbortSignal): Promise<Call> =>
  api.get(at`/api/v1/calls/${id}`, { signal });

export interface EventsView {
  range: Range;
  filters: Filter[];
  /** The `next` of the page before. */
  after: string | null;
  limit: number;
}

/** The parameters of the list of usage events; the same for the page and its CSV. */
export function eventsQuery({ range, filters, after, limit }: EventsView): Record<string, string> {
  const query: Record<string, string> = { limit: String(limit) };
  if (typeof range === 'string') query.range = range;
  else Object.assign(query, range);
  if (filters.length > 0) query.filters = JSON.stringify(filters);
  if (after) query.after = after;
  return query;
}

export const listEvents = (view: EventsView, signal?: AbortSignal): Promise<Page<UsageEvent>> =>
  api.get('/api/v1/events', { query: eventsQuery(view), signal });

/** The kinds of token, which add up; reasoning is a part of output. */
export const TOKEN_KINDS = [
  { kind: 'input_uncached', label: 'Input', colour: 'var(--c1)' },
  { kind: 'cache_read', label: 'Cache read', colour: 'var(--c7)' },
  { kind: 'cache_write_5m', label: 'Cache write (5 min)', colour: 'var(--c3)' },
  { kind: 'cache_write_1h', label: 'Cache write (1 h)', colour: 'var(--c8)' },
  { kind: 'output', label: 'Output', colour: 'var(--c2)' },
] as const;

export function totalTokens(tokens: Tokens): number {
  return TOKEN_KINDS.reduce((sum, { kind }) => sum + (tokens[kind] ?? 0), 0);
}

/** Kind by kind over several attempts. */
export function sumTokens(all: Tokens[]): Tokens {
  const sum = (kind: keyof Tokens) => all.reduce((total, one) => total + (one[kind] ?? 0), 0);
  const kinds = TOKEN_KINDS.map(({ kind }) => [kind, sum(kind)] as const);
  return { ...Object.fromEntries(kinds), reasoning: sum('reasoning') };
}

export function cacheWrites(tokens: Tokens): number {
  return (tokens.cache_write_5m ?? 0) + (tokens.cache_write_1h ?? 0);
}

/** What a line of a price is for. */
export function lineLabel(what: string): string {
  const kind = TOKEN_KINDS.find((one) => one.kind === what);
  if (kind) return kind.label;
  if (what.startsWith('tool:')) return `Tool ${what.slice(5)}`;
  return words(what).replace(/^./, (first) => first.toUpperCase());
}

export const UNIT_LABELS: Record<PriceLine['unit'], string> = {
  million_tokens: 'per 1M tokens',
  request: 'per request',
  tool_request: 'per use',
};

export type Tone = 'neutral' | 'ok' | 'warn' | 'bad';

/** How a call ended, in words, with what the colour repeats. */
export const STATUS: Record<string, { label: string; tone: Tone; meaning: string }> = {
  ok: { label: 'OK', tone: 'ok', meaning: 'Answered whole' },
  error: { label: 'Error', tone: 'bad', meaning: 'The provider refused or failed' },
  refused: { label: 'Refused', tone: 'warn', meaning: 'Tally refused it; it was never sent' },
  aborted: { label: 'Aborted', tone: 'warn', meaning: 'The client went away in the middle' },
  cut: { label: 'Cut', tone: 'bad', meaning: "The provider's answer broke off" },
  timeout: { label: 'Timeout', tone: 'bad', meaning: 'The provider did not answer in time' },
  interrupted: {
    label: 'Interrupted',
    tone: 'warn',
    meaning: 'Tally stopped in the middle; settled at its estimate',
  },
};

export function statusOf(event: UsageEvent): { label: string; tone: Tone; meaning: string } {
  return STATUS[event.status] ?? { label: event.status, tone: 'neutral', meaning: event.status };
}

const FALLBACKS: Record<string, string> = {
  error: 'the first choice failed',
  budget: 'a budget degraded the call',
  policy: 'a policy rerouted the call',
};

/** Why another model served than was asked for; null when none did. */
export function fallbackReason(event: UsageEvent): string | null {
  const reason = event.fallback;
  return typeof reason === 'string' ? (FALLBACKS[reason] ?? reason) : null;
}

export interface Mark {
  label: string;
  title: string;
  tone: 'neutral' | 'accent' | 'warn';
}

/** What is not ordinary about an event. */
export function marksOf(event: UsageEvent): Mark[] {
  const marks: Mark[] = [];
  const fallback = fallbackReason(event);
  if (fallback) marks.push({ label: 'fallback', title: `Because ${fallback}`, tone: 'warn' });
  if (isUnpriced(event)) {
    const title = String(event.unpriced_reason ?? 'The price is not known');
    marks.push({ label: 'unpriced', title, tone: 'warn' });
  }
  if (event.counts === 'estimated') {
    marks.push({
      label: 'estimated',
      title: 'The provider reported no counts; Tally counted the tokens',
      tone: 'neutral',
    });
  }
  if (event.subscription === true) {
    marks.push({
      label: 'subscription',
      title: 'Covered by a subscription: metered at list price, not billed per call',
      tone: 'accent',
    });
  }
  if (event.source === 'simulated') {
    marks.push({ label: 'simulated', title: 'Made up by the demo', tone: 'neutral' });
  }
  return marks;
}

/** A call that was sent but whose price is unknown; a refused one costs nothing. */
export function isUnpriced(event: UsageEvent): boolean {
  return (event.cost_list_usd ?? null) === null && event.status !== 'refused';
}
