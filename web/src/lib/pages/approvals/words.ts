/** What people ask for, in plain words; some of it is about grants alone. */

import type { Asked, AskedItem, AskedKind, AskedState, Decision, Need } from '../../api/approvals';
import { GRANTS_PATH, type GrantSpec, OPERATIONS } from '../../api/budgets';
import { amount } from '../budgets/amount';
import { type Tone, counterName, listed, roleWords } from '../budgets/words';

export const ASKED_STATES: Record<AskedState, { label: string; tone: Tone; meaning: string }> = {
  pending: { label: 'Pending', tone: 'warn', meaning: 'Somebody has to decide' },
  approved: { label: 'In force', tone: 'ok', meaning: 'Approved, until it ends' },
  denied: { label: 'Denied', tone: 'bad', meaning: 'Somebody said no' },
  revoked: { label: 'Revoked', tone: 'neutral', meaning: 'Taken back after it was approved' },
  withdrawn: { label: 'Withdrawn', tone: 'neutral', meaning: 'Taken back by who asked' },
  expired: { label: 'Ended', tone: 'neutral', meaning: 'Its time is over' },
};

export function askedState(spec: Asked, now: Date = new Date()) {
  // It ends by itself, also before anybody wrote that down.
  const isPast = spec.state === 'approved' && new Date(spec.until) <= now;
  return ASKED_STATES[isPast ? 'expired' : spec.state];
}

export const isInForce = (spec: Asked, now: Date = new Date()): boolean =>
  spec.state === 'approved' && new Date(spec.until) > now;

export const asker = (spec: Asked): string => spec.requested_by ?? 'Tally';

/** $400 more on support-month */
export function askWords({ ask, counter }: GrantSpec): string {
  const name = counterName(counter);
  if ('increase' in ask) return `${amount(ask.increase)} more on ${name}`;
  return `Going on past ${ask.pass_stage} % of ${name}`;
}

/** Somebody has to decide; an emergency holds already, and is to be reviewed. */
export const isUndecided = (spec: Asked): boolean =>
  spec.state === 'pending' || (spec.emergency === true && spec.state === 'approved');

/** Who still has to say yes: all of these roles. */
export function waitingFor(spec: Asked): Need[] {
  if (!isUndecided(spec)) return [];
  const said = new Set((spec.decisions ?? []).map(({ role }) => role));
  return spec.needs.filter(({ role }) => !said.has(role));
}

/** the owner (grace) and FinOps (maya or tess) */
export function needWords(needs: Need[]): string {
  return listed(
    needs.map(({ role, people }) =>
      people.length > 0 ? `${roleWords(role)} (${people.join(' or ')})` : roleWords(role),
    ),
  );
}

/** Approved as the owner, for maya */
export function decisionWords(decision: Decision): string {
  const verb = decision.approved ? 'approved' : 'denied';
  const instead = decision.for_person ? `, for ${decision.for_person}` : '';
  return `${verb} as ${roleWords(decision.role)}${instead}`;
}

/** Those to act on first, then the newest. */
export function byDate(a: AskedItem, b: AskedItem): number {
  const isOpen = ({ spec }: AskedItem) => Number(spec.state === 'pending');
  return isOpen(b) - isOpen(a) || b.spec.requested_at.localeCompare(a.spec.requested_at);
}

export const GRANTS: AskedKind<GrantSpec> = {
  path: GRANTS_PATH,
  page: '/approvals',
  operations: {
    list: OPERATIONS.listGrants,
    get: OPERATIONS.getGrant,
    ask: OPERATIONS.ask,
    approve: OPERATIONS.approve,
    deny: OPERATIONS.deny,
    revoke: OPERATIONS.revoke,
    withdraw: OPERATIONS.withdraw,
    trail: OPERATIONS.trail,
  },
  title: askWords,
  managers: ['finops', 'admin'],
};

/** The page of one of them. */
export function hrefOf<Spec extends Asked>({ page }: AskedKind<Spec>, name: string): string {
  return `${page}/${encodeURIComponent(name)}`;
}

export const grantHref = (name: string): string => hrefOf(GRANTS, name);
