/** How what is shared is said. */

import type { Measurement, TemplateSummary, TemplateVersion, Verdict } from '../../api/sharing';

type Tone = 'neutral' | 'accent' | 'ok' | 'warn' | 'bad';

export const VERDICTS: Record<Verdict, { label: string; tone: Tone }> = {
  confirmed: { label: 'Confirmed', tone: 'ok' },
  unclear: { label: 'Unclear', tone: 'neutral' },
  refuted: { label: 'Refuted', tone: 'bad' },
};

const GROUNDS: Record<string, string> = {
  saved: 'Cheaper than the comparison group, by more than chance.',
  too_few_tasks: 'A group has fewer than 20 tasks in a window, or tells too much about few people.',
  others_saved_too: 'It became cheaper, and so did the comparison group: something else did that.',
  within_chance: 'The interval holds savings and none.',
  fewer_succeed: 'Cheaper, but fewer tasks succeed.',
  no_change: 'It costs as before.',
  dearer: 'Dearer than the comparison group, by more than chance.',
};

export const groundOf = (word: string): string => GROUNDS[word] ?? word;

export const EFFECTS: Record<Measurement['effect'], { label: string; tone: Tone }> = {
  saves: { label: 'Saves', tone: 'ok' },
  unclear: { label: 'Cannot be told yet', tone: 'neutral' },
  costs: { label: 'Costs more', tone: 'warn' },
};

export const REVIEW: Record<TemplateVersion['review']['state'], { label: string; tone: Tone }> = {
  draft: { label: 'Draft', tone: 'neutral' },
  submitted: { label: 'Waits for a review', tone: 'accent' },
  approved: { label: 'Approved', tone: 'ok' },
};

export const KINDS = {
  failure_case: 'Failure case',
  evaluation: 'Evaluation',
  guardrail_pattern: 'Guardrail pattern',
  mentoring: 'Mentoring',
} as const;

export const CONTRIBUTION_STATES: Record<string, { label: string; tone: Tone }> = {
  offered: { label: 'Waits for somebody to confirm it', tone: 'accent' },
  confirmed: { label: 'Confirmed', tone: 'ok' },
  declined: { label: 'Declined', tone: 'neutral' },
};

/** 0.8 is −20 %. */
export function percent(ratio: number): string {
  const by = Math.round((ratio - 1) * 100);
  return by > 0 ? `+${by} %` : by < 0 ? `−${-by} %` : '±0 %';
}

/** 0.05 is +5 points. */
export function points(difference: number): string {
  const by = Math.round(difference * 100);
  return by > 0 ? `+${by} points` : by < 0 ? `−${-by} points` : '±0 points';
}

/** A name made of a title: lower case, dashes. */
export function nameOf(title: string): string {
  return title
    .toLowerCase()
    .normalize('NFKD')
    .replace(/[^a-z0-9]+/g, '-')
    .replace(/^-+|-+$/g, '')
    .slice(0, 80);
}

/** The names between double braces, in the order in which they stand. */
export function variablesIn(...texts: string[]): string[] {
  const found = texts.flatMap((text) =>
    [...text.matchAll(/\{\{\s*([A-Za-z0-9_]{1,64})\s*\}\}/g)].map(([, name]) => name ?? ''),
  );
  return [...new Set(found)];
}

export const templateHref = (name: string): string => `/templates/${encodeURIComponent(name)}`;

/** What a template's state says on its card. */
export function standing(one: TemplateSummary): { label: string; tone: Tone } | null {
  if (one.state === 'retired') {
    return { label: one.replaced_by ? `Replaced by ${one.replaced_by}` : 'Retired', tone: 'warn' };
  }
  if (one.to_review) return { label: `Version ${one.to_review} waits for you`, tone: 'accent' };
  return one.current ? null : { label: 'Not approved yet', tone: 'neutral' };
}
