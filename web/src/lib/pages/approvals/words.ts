/** Grants in plain words. */

import type { Grant, GrantSpec, GrantState } from '../../api/budgets';
import { amount } from '../budgets/amount';
import { type Tone, counterName, listed, roleWords } from '../budgets/words';

export const GRANT_STATES: Record<GrantState, { label: string; tone: Tone; meaning: string }> = {
  pending: { label: 'Pending', tone: 'warn', meaning: 'Somebody has to decide' },
  approved: { label: 'In force', tone: 'ok', meaning: 'Approved, until it ends' },
  denied: { label: 'Denied', tone: 'bad', meaning: 'Somebody said no' },
  revoked: { label: 'Revoked', tone: 'neutral', meaning: 'Taken back after it was approved' },
  withdrawn: { label: 'Withdrawn', tone: 'neutral', meaning: 'Taken back by who asked' },
  expired: { label: 'Ended', tone: 'neutral', meaning: 'Its time is over' },
};

export function grantState(spec: GrantSpec, now: Date = new Date()) {
  // It ends by itself, also before anybody wrote that down.
  const isPast = spec.state === 'approved' && new Date(spec.until) <= now;
  return GRANT_STATES[isPast ? 'expired' : spec.state];
}

export const isInForce = (spec: GrantSpec, now: Date = new Date()): boolean =>
  spec.state === 'approved' && new Date(spec.until) > now;

export const asker = (spec: GrantSpec): string => spec.requested_by ?? 'Tally';

/** $400 more on support-month */
export function askWords({ ask, counter }: GrantSpec): string {
  const name = counterName(counter);
  if ('increase' in ask) return `${amount(ask.increase)} more on ${name}`;
  return `Going on past ${ask.pass_stage} % of ${name}`;
}

/** Somebody has to decide; an emergency holds already, and is to be reviewed. */
export const isUndecided = (spec: GrantSpec): boolean =>
  spec.state === 'pending' || (spec.emergency === true && spec.state === 'approved');

/** Who still has to say yes: all of these roles. */
export function waitingFor(spec: GrantSpec): GrantSpec['needs'] {
  if (!isUndecided(spec)) return [];
  const said = new Set((spec.decisions ?? []).map(({ role }) => role));
  return spec.needs.filter(({ role }) => !said.has(role));
}

/** the owner (grace) and FinOps (maya or tess) */
export function needWords(needs: GrantSpec['needs']): string {
  return listed(
    needs.map(({ role, people }) =>
      people.length > 0 ? `${roleWords(role)} (${people.join(' or ')})` : roleWords(role),
    ),
  );
}

/** Approved as the owner, for maya */
export function decisionWords(decision: NonNullable<GrantSpec['decisions']>[number]): string {
  const verb = decision.approved ? 'approved' : 'denied';
  const instead = decision.for_person ? `, for ${decision.for_person}` : '';
  return `${verb} as ${roleWords(decision.role)}${instead}`;
}

/** Those to act on first, then the newest. */
export function byDate(a: Grant, b: Grant): number {
  const isOpen = ({ spec }: Grant) => Number(spec.state === 'pending');
  return isOpen(b) - isOpen(a) || b.spec.requested_at.localeCompare(a.spec.requested_at);
}

export const grantHref = (name: string): string => `/approvals/${encodeURIComponent(name)}`;
