/** Budgets in plain words. */

import type {
  BudgetScope,
  BudgetSpec,
  BudgetStage,
  BudgetState,
  BudgetUse,
  CounterId,
  StageDegrade,
  StageRole,
} from '../../api/budgets';
import { countExact, words } from '../../format';
import { addDays, dayOf, fullDay, isoDay, midnight } from '../../zone';
import { amount, compare, isZero, minus, percent, shareOf } from './amount';

export type Tone = 'neutral' | 'accent' | 'ok' | 'warn' | 'bad';

export const STATES: { name: BudgetState; label: string; tone: Tone; meaning: string }[] = [
  { name: 'denied', label: 'Refusing', tone: 'bad', meaning: 'Calls are refused' },
  { name: 'degraded', label: 'Degraded', tone: 'bad', meaning: 'Calls are served with less' },
  {
    name: 'approval',
    label: 'Needs approval',
    tone: 'warn',
    meaning: 'Somebody has to approve that it goes on',
  },
  {
    name: 'notified',
    label: 'Heads-up',
    tone: 'warn',
    meaning: 'A stage was reached; people know',
  },
  { name: 'ok', label: 'OK', tone: 'ok', meaning: 'Below its first stage' },
];

export function stateOf(state: BudgetState): (typeof STATES)[number] {
  return (
    STATES.find(({ name }) => name === state) ?? {
      name: state,
      label: words(state),
      tone: 'neutral',
      meaning: words(state),
    }
  );
}

const ROLES: Record<StageRole, string> = {
  owner: 'the owner',
  person: 'the person who called',
  manager: 'the manager',
  workload_owner: 'the workload’s owner',
  finops: 'FinOps',
  security: 'security',
  webhook: 'the webhooks',
};

export const roleWords = (role: StageRole): string => ROLES[role] ?? words(role);

/** a, b and c */
export function listed(items: string[]): string {
  if (items.length < 2) return items[0] ?? '';
  return `${items.slice(0, -1).join(', ')} and ${items.at(-1)}`;
}

export function capital(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1);
}

/** support-month · support · production */
export function counterName({ budget, each, environment }: CounterId): string {
  return [budget, each, environment].filter(Boolean).join(' · ');
}

export function counterKey({ budget, each, environment }: CounterId): string {
  return JSON.stringify([budget, each ?? null, environment ?? null]);
}

/** The page of one counter. */
export function counterHref({ budget, each, environment }: CounterId): string {
  const query = new URLSearchParams();
  if (each) query.set('each', each);
  if (environment) query.set('environment', environment);
  const text = query.toString();
  return `/budgets/${encodeURIComponent(budget)}${text ? `?${text}` : ''}`;
}

const PENDING = {
  continue: 'calls go on meanwhile',
  degrade: 'until then calls are served with less',
  deny: 'until then calls are refused',
} as const;

function degradeWords({ to, tier, ...less }: StageDegrade): string {
  const parts: string[] = [];
  if (to === 'cheaper') parts.push('go to the next cheaper model');
  else if (to) parts.push(`go to ${to}`);
  if (tier) parts.push(`go to a model of the tier ${tier}`);
  if (less.reasoning_effort) parts.push(`reason with ${less.reasoning_effort} effort`);
  if (less.max_context_tokens) {
    parts.push(`keep ${countExact(less.max_context_tokens)} tokens of context`);
  }
  if (less.max_output_tokens) {
    parts.push(`answer with at most ${countExact(less.max_output_tokens)} tokens`);
  }
  if (parts.length === 0) return 'calls are served with less, by their workload’s own fallback';
  return `calls ${listed(parts)}`;
}

/** What a stage does, without a capital: `calls go to claude-haiku`. */
export function stageWords(stage: BudgetStage): string {
  if (stage.deny) return 'calls are refused';
  if (stage.degrade) return degradeWords(stage.degrade);
  if (stage.approval?.length) {
    const who = listed(stage.approval.map(roleWords));
    return `${who} ${stage.approval.length > 1 ? 'have' : 'has'} to approve; ${PENDING[stage.pending ?? 'continue']}`;
  }
  const who = (stage.notify ?? []).map(roleWords);
  return `${listed(who)} ${who.length > 1 ? 'are' : 'is'} told`;
}

export const stageSentence = (stage: BudgetStage): string => `${capital(stageWords(stage))}.`;

/** Like `stageWords`, as what happens to the calls of who reads it. */
export function toYou(stage: BudgetStage): string {
  return stageWords(stage)
    .replace(/^calls /, 'your calls ')
    .replace('; calls ', '; your calls ')
    .replace(/until then calls /, 'until then your calls ')
    .replace(/their workload’s/, 'the workload’s')
    .replace(/\bthe person who called is\b/, 'you are')
    .replace(/\bthe person who called\b/, 'you');
}

/** Thursday, today at 16:00, 12 Dec: as a person would name it. */
export function dayName(instant: string | Date, zone: string, now: Date = new Date()): string {
  const at = new Date(instant);
  const here = dayOf(now, zone);
  const there = isoDay(dayOf(at, zone));
  const clock = new Intl.DateTimeFormat('en-GB', {
    timeZone: zone,
    hour: '2-digit',
    minute: '2-digit',
  }).format(at);
  if (there === isoDay(here)) return `today at ${clock}`;
  if (there === isoDay(addDays(here, 1))) return `tomorrow at ${clock}`;
  const isSoon = [2, 3, 4, 5, 6].some((days) => there === isoDay(addDays(here, days)));
  if (isSoon) {
    return `on ${new Intl.DateTimeFormat('en-GB', { timeZone: zone, weekday: 'long' }).format(at)}`;
  }
  return `on ${fullDay(at, zone).replace(` ${here.year}`, '')}`;
}

/** When something ends, as a person would name it: `the end of 30 Nov`. */
export function endName(instant: string, zone: string, now: Date = new Date()): string {
  const at = new Date(instant);
  if (midnight(dayOf(at, zone), zone).getTime() !== at.getTime()) {
    return dayName(at, zone, now).replace(/^on /, '');
  }
  const last = new Date(at.getTime() - 1);
  const name = dayName(last, zone, now).replace(/^on | at [\d:]+$/g, '');
  return `the end of ${name}`;
}

export const isOver = (use: BudgetUse): boolean => compare(use.settled, use.limit) >= 0;

/** What the pace so far leads to. */
export function paceWords(use: BudgetUse, zone: string, now: Date = new Date()): string {
  if (isOver(use)) {
    const over = minus(use.settled, use.limit);
    return isZero(over) ? 'used up' : `used up, ${amount(over)} beyond`;
  }
  if (use.exhausted_at) {
    if (new Date(use.exhausted_at) <= now) return 'at this pace, gone any moment';
    return `at this pace, gone ${dayName(use.exhausted_at, zone, now)}`;
  }
  if (!use.projected) return 'too early to tell';
  return `at this pace, ${percent(shareOf(use.projected, use.limit))} at the end`;
}

/** 5 d left, 3 h left; a rolling window has no end. */
export function timeLeft(use: BudgetUse, now: Date = new Date(), spec?: BudgetSpec): string {
  if (isRolling(use, now, spec)) return 'rolling';
  const minutes = Math.floor((new Date(use.window_end).getTime() - now.getTime()) / 60_000);
  if (minutes < 1) return 'ends now';
  if (minutes < 120) return `${minutes} min left`;
  if (minutes < 48 * 60) return `${Math.floor(minutes / 60)} h left`;
  return `${Math.floor(minutes / 1_440)} d left`;
}

const NOW_MS = 90_000;

/** The window of a rolling budget ends now, whenever it is looked at. */
export function isRolling(use: BudgetUse, now: Date = new Date(), spec?: BudgetSpec): boolean {
  if (spec) return 'rolling_hours' in spec.window;
  return Math.abs(new Date(use.window_end).getTime() - now.getTime()) < NOW_MS;
}

const CALENDAR: Record<string, string> = {
  day: 'each day',
  week: 'each week',
  month: 'each month',
  quarter: 'each quarter',
  year: 'each year',
};

export function windowWords(spec: BudgetSpec | undefined): string | null {
  if (!spec) return null;
  if ('calendar' in spec.window) return CALENDAR[spec.window.calendar] ?? spec.window.calendar;
  const hours = spec.window.rolling_hours;
  return hours % 24 === 0 && hours > 24 ? `the last ${hours / 24} days` : `the last ${hours} hours`;
}

const SCOPES: [keyof BudgetScope, string][] = [
  ['organization', 'organization'],
  ['department', 'department'],
  ['cost_center', 'cost center'],
  ['team', 'team'],
  ['person', 'person'],
  ['role', 'job role'],
  ['workload', 'workload'],
  ['workload_class', 'workload class'],
  ['key', 'key'],
  ['environment', 'environment'],
  ['tier', 'tier'],
  ['model', 'model'],
  ['provider', 'provider'],
  ['task_type', 'task type'],
];

/** What counts against it: `team support · environment production`. */
export function scopeWords(scope: BudgetScope): string {
  const parts = SCOPES.flatMap(([field, label]) => {
    const value = scope[field];
    return value ? [`${label} ${value}`] : [];
  });
  if (scope.each) parts.unshift(`each ${scope.each}`);
  return parts.length > 0 ? parts.join(' · ') : 'all calls';
}
