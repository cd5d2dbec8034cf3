/** Workloads in plain words. */

import type { CatalogEntry, Health, WorkloadSpec, WorkloadState } from '../../api/catalog';
import { words } from '../../format';
import type { Tone } from '../budgets/words';
import { DATA_CLASSES } from '../policies/question';

interface Word {
  label: string;
  tone: Tone;
  meaning: string;
}

export const STATES: Record<WorkloadState, Word> = {
  discovered: {
    label: 'Discovered',
    tone: 'accent',
    meaning: 'Its calls were seen; somebody entered what they knew',
  },
  registered: { label: 'Registered', tone: 'neutral', meaning: 'Its owner entered it' },
  approved: {
    label: 'Approved',
    tone: 'ok',
    meaning: 'Somebody but its owner looked at it and agreed',
  },
  retired: {
    label: 'Retired',
    tone: 'neutral',
    meaning: 'It is over: its calls are no longer counted as its own',
  },
};

export const HEALTHS: Record<Health, Word> = {
  ok: { label: 'Healthy', tone: 'ok', meaning: 'Nothing to say against it' },
  failing: { label: 'Failing', tone: 'bad', meaning: 'More than 5 % of its calls fail' },
  slow: { label: 'Slow', tone: 'warn', meaning: 'Slower than its SLO says' },
  idle: { label: 'Idle', tone: 'neutral', meaning: 'No calls in the last 30 days' },
  unmetered: { label: 'By hand', tone: 'neutral', meaning: 'Tally does not see its calls' },
  retired: { label: 'Retired', tone: 'neutral', meaning: 'It is over' },
};

type Vocabulary = { value: string; label: string; meaning?: string }[];

export const FUNDINGS: Vocabulary = [
  { value: 'subsidised', label: 'Subsidised', meaning: 'Paid centrally' },
  { value: 'charged', label: 'Charged', meaning: 'Its cost center pays' },
  { value: 'capped', label: 'Capped', meaning: 'Its cost center pays up to a limit' },
  { value: 'prohibited', label: 'Prohibited', meaning: 'Nobody agreed to pay: it should not run' },
];
export const CRITICALITIES: Vocabulary = [
  { value: 'low', label: 'Low', meaning: 'Nobody notices when it stands' },
  { value: 'medium', label: 'Medium', meaning: 'Somebody is slower' },
  { value: 'high', label: 'High', meaning: 'A team cannot work' },
  { value: 'critical', label: 'Critical', meaning: 'The company stands' },
];
const named = (values: readonly string[]): Vocabulary =>
  values.map((value) => ({ value, label: words(value[0]?.toUpperCase() + value.slice(1)) }));
export const CLASSES = named(['critical', 'operational', 'exploration']);
export const ENVIRONMENTS = named(['production', 'experimentation']);
export const TIERS = named(['frontier', 'standard', 'economy']);
export const DATA = named(DATA_CLASSES);

export const labelOf = (vocabulary: Vocabulary, value: string | null | undefined): string | null =>
  vocabulary.find((one) => one.value === value)?.label ?? null;
export const meaningOf = (vocabulary: Vocabulary, value: string | null | undefined) =>
  vocabulary.find((one) => one.value === value)?.meaning;

/** What the fields of a workload are called. */
const FIELDS: Record<string, string> = {
  slo: 'SLO',
  'slo.latency_p95_ms': 'SLO: 95 % of the calls within (ms)',
  'slo.cost_per_successful_task_usd': 'SLO: cost per successful task (USD)',
  tier_rationale: 'reason for its tier',
  'tier_rationale.reason': 'reason for its tier',
  'tier_rationale.review_by': 'tier looked at again by',
  monthly_cost_usd: 'monthly cost (USD)',
  'fallback.model': 'fallback: model',
  'fallback.max_context_tokens': 'fallback: longest prompt (tokens)',
  'rate_limit.requests_per_minute': 'calls per minute',
  'rate_limit.tokens_per_minute': 'tokens per minute',
  class: 'workload class',
};

export const fieldName = (field: string): string => FIELDS[field] ?? words(field);

export const catalogHref = (name: string): string => `/catalog/${encodeURIComponent(name)}`;

/** Where somebody should look: something fails, is missing, late or unpaid. */
export function isWanting({ spec, completeness, health, review_overdue }: CatalogEntry): boolean {
  if (spec.state === 'retired') return false;
  return (
    completeness.missing.length > 0 ||
    review_overdue ||
    health === 'failing' ||
    health === 'slow' ||
    spec.funding === 'prohibited'
  );
}

/** cheaper, with at most 8,000 tokens of prompt */
export function fallbackWords({ fallback }: WorkloadSpec): string | null {
  if (!fallback) return null;
  const model =
    fallback.model === 'cheaper' ? 'the next cheaper model' : (fallback.model ?? 'the same model');
  const most = fallback.max_context_tokens;
  return most ? `${model}, with at most ${most.toLocaleString('en')} tokens of prompt` : model;
}
