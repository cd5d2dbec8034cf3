/** What a score's parts say, in words. */

import type { components } from '../../api/schema';
import { money } from '../../format';
import { templateHref } from '../sharing/words';

type Schemas = components['schemas'];
export type Explanation = Schemas['Explanation'];
export type Advice = Schemas['Advice'];
export type Standing = Schemas['TaskStanding'];

/** What became of tasks, and what follows from it. */
export const STANDINGS: Record<Standing, { label: string; why: string; good: boolean }> = {
  counts: { label: 'Count', why: 'Cost and success count.', good: true },
  failed: {
    label: 'Failed',
    why: 'The cost counts: somebody else says that they failed.',
    good: true,
  },
  repeated: {
    label: 'Asked before',
    why: 'The cost counts, the success does not: the same prompt was asked before this season.',
    good: false,
  },
  too_many_a_day: {
    label: 'Too many a day',
    why: 'The cost counts, the success does not: more in a day than anybody has.',
    good: false,
  },
  no_outcome: {
    label: 'No outcome',
    why: 'Neither counts: nobody said what came of them.',
    good: false,
  },
  no_price: {
    label: 'No price',
    why: 'Neither counts: a call has no known price.',
    good: false,
  },
  self_reported: {
    label: 'Reported by oneself',
    why: 'Neither counts: somebody else has to vouch for the outcome.',
    good: false,
  },
  reporter_unknown: {
    label: 'Reporter unknown',
    why: 'Neither counts: nobody knows who reported the outcome.',
    good: false,
  },
  mutually_vouched: {
    label: 'Mutual',
    why: 'Neither counts: people vouch for each other.',
    good: false,
  },
};

export const UNRANKED: Record<Schemas['Unranked'], string> = {
  too_few_tasks: 'too few tasks that count',
  nobody_to_compare: 'nobody else does enough of the same',
  no_earlier_season: 'no season before to improve on',
  nothing_shared: 'nothing shared that others used',
  no_spend: 'no spend',
};

export const PEERS: Record<Schemas['Peers'], string> = {
  department: 'the department',
  everybody: 'everybody',
  teams: 'all teams',
};

export const typeName = (type: string | null | undefined): string => type ?? 'no task type';

const usd = (value: number | null | undefined): string =>
  value === null || value === undefined ? '–' : money(String(value));

/** What to do, as a sentence. */
export function advise({ change }: Advice): string {
  switch (change.what) {
    case 'cheaper_tasks':
      return change.now === null || change.now === undefined
        ? `Tasks of ${typeName(change.task_type)} at ${usd(change.then)} a success, as the cheapest quarter of the peers`
        : `Tasks of ${typeName(change.task_type)} at ${usd(change.then)} a success instead of ${usd(change.now)}, as the cheapest quarter of the peers`;
    case 'vouching':
      return `Let a system or somebody else report the outcomes of ${change.tasks} succeeded tasks`;
    case 'more_reuse':
      return change.template
        ? `Three more people who use the template ${change.template}`
        : 'A template that three people use';
    case 'story':
      return 'A savings story that is confirmed';
    case 'compliance':
      return 'No violations, no exceptions that run out, no unregistered spend';
    case 'more_outcomes':
      return `${change.tasks} more tasks with an outcome that somebody else vouches for`;
  }
}

/** Where to begin with it. */
export function adviceHref({ change }: Advice): { href: string; label: string } {
  switch (change.what) {
    case 'cheaper_tasks':
      return { href: '/models', label: 'What models cost' };
    case 'vouching':
    case 'more_outcomes':
      return { href: '/scoreboards/formula', label: 'What counts' };
    case 'compliance':
      return { href: '/policies', label: 'The rules' };
    case 'story':
      return { href: '/stories', label: 'Stories' };
    case 'more_reuse':
      return change.template
        ? { href: templateHref(change.template), label: 'The template' }
        : { href: '/templates', label: 'Templates' };
  }
}
