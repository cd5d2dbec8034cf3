/** How boards, badges and titles are spoken of. */

import type { BoardName, Of, Row, TaskType, TitleShown } from '../../api/scoreboards';
import { money } from '../../format';

export const BOARD_WORDS: Record<BoardName, { label: string; meaning: string }> = {
  overall: {
    label: 'Overall',
    meaning: 'Efficiency, improvement and knowledge, weighted by the formula, times compliance',
  },
  efficiency: {
    label: 'Efficiency',
    meaning: 'Cost per successful task against peers on the same type of task: the median is 50',
  },
  improvement: {
    label: 'Improvement',
    meaning: 'Cost per successful task against one’s own best season before: the same is 50',
  },
  knowledge: {
    label: 'Knowledge',
    meaning: 'What others made of templates, stories and contributions that were shared',
  },
  return: {
    label: 'Return',
    meaning: 'Value of vouched outcomes for each dollar the team spent',
  },
};

export const OF_WORDS: Record<Of, string> = { people: 'People', teams: 'Teams' };

/** Return is of teams only. */
export const boardsOf = (of: Of): BoardName[] =>
  of === 'teams'
    ? ['overall', 'efficiency', 'improvement', 'knowledge', 'return']
    : ['overall', 'efficiency', 'improvement', 'knowledge'];

/** A choice's value for all types; those of types begin with a colon, so that none is taken for it. */
export const ALL_TYPES = 'all';
export const typeValue = (taskType: string): string => `:${taskType}`;
export const typeOf = (value: string): string | null =>
  value === ALL_TYPES ? null : value.slice(1);

/** Types with a board, those that most people do first. */
export const typeOptions = (types: TaskType[]): { value: string; label: string }[] => [
  { value: ALL_TYPES, label: 'All types' },
  ...types.map(({ task_type }) => ({
    value: typeValue(task_type),
    label: task_type || 'Without a type',
  })),
];

export const TITLES: Record<string, { label: string; meaning: string }> = {
  token_legend: { label: 'Token Legend', meaning: 'Whose templates saved others most' },
  cache_wizard: {
    label: 'Cache Wizard',
    meaning: 'Largest share of what was sent that caches served',
  },
  model_connoisseur: {
    label: 'Model Connoisseur',
    meaning: 'Largest share of successes without a frontier model, where peers use one',
  },
  session_immortal: {
    label: 'Session Immortal',
    meaning: 'Longest streak of successful tasks, none dearer than the peers’ median',
  },
};

export const titleOf = (name: string) => TITLES[name] ?? { label: name, meaning: '' };

/** What a title was given for. */
export function titleValue({ title, value }: TitleShown): string {
  if (value === null || value === undefined) return '';
  if (title === 'token_legend') return `${money(String(value))} saved`;
  if (title === 'session_immortal') return `${value} tasks`;
  return `${Math.round(value * 100)} %`;
}

const BADGES = ['bronze', 'silver', 'gold', 'platinum', 'emerald'];
export const BADGE_FROM: Record<string, number> = {
  bronze: 50,
  silver: 60,
  gold: 70,
  platinum: 80,
  emerald: 90,
};
export const badgeLevel = (badge: string): number => BADGES.indexOf(badge);

/** One decimal, as it is kept. */
export const points = (value: number | null | undefined): string =>
  value === null || value === undefined ? '–' : value.toFixed(1);

/** 1st, 2nd, 3rd, 4th… */
export function ordinal(rank: number): string {
  const tens = rank % 100;
  if (tens >= 11 && tens <= 13) return `${rank}th`;
  return `${rank}${['th', 'st', 'nd', 'rd'][rank % 10] ?? 'th'}`;
}

export const rankText = ({ rank, tied }: Pick<Row, 'rank' | 'tied'>): string =>
  rank === null || rank === undefined ? '–' : tied ? `=${rank}` : String(rank);

/** How far a row moved: up is positive; null where there was or is no rank. */
export function moved({
  rank,
  rank_before: before,
}: Pick<Row, 'rank' | 'rank_before'>): number | null {
  if (rank === null || rank === undefined || before === null || before === undefined) return null;
  return before - rank;
}

export function movedWords(row: Pick<Row, 'rank' | 'rank_before'>): string {
  const by = moved(row);
  if (row.rank === null || row.rank === undefined) return 'not ranked';
  if (by === null) return 'new';
  if (by === 0) return 'unchanged';
  return by > 0 ? `up ${by}` : `down ${-by}`;
}
