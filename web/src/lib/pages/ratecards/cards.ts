/** Rate cards in their order: which holds, which held, which will. */

import type { RateCardSpec } from '../../api/statements';
import type { Resource } from '../resources';

export type Card = Resource<RateCardSpec>;

export interface Placed {
  card: Card;
  when: 'then' | 'now' | 'next';
  /** The first day it no longer holds; null is not known yet. */
  until: string | null;
}

/** The newest first; a card holds until its `until`, or until the next one begins. */
export function placed(cards: Card[], today: string): Placed[] {
  const ordered = cards.toSorted((a, b) => a.spec.from.localeCompare(b.spec.from));
  return ordered
    .map((card, at): Placed => {
      const until = card.spec.until ?? ordered[at + 1]?.spec.from ?? null;
      const hasEnded = until !== null && until <= today;
      const when = card.spec.from > today ? 'next' : hasEnded ? 'then' : 'now';
      return { card, when, until };
    })
    .toReversed();
}

export const WHEN = {
  then: { label: 'Before', tone: 'neutral' },
  now: { label: 'Holds now', tone: 'ok' },
  next: { label: 'Planned', tone: 'accent' },
} as const;

export const cardHref = (name: string): string => `/rate-cards/${encodeURIComponent(name)}`;

/** −10 % or +4.5 % */
export function percent(text: unknown): string {
  const digits = String(text ?? '0');
  if (digits === '0') return 'list price';
  return digits.startsWith('-') ? `−${digits.slice(1)}\u202f%` : `+${digits}\u202f%`;
}
