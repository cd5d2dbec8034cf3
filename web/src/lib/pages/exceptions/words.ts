/** Exceptions in plain words. */

import type { AskedKind } from '../../api/approvals';
import {
  EXCEPTIONS_PATH,
  type ExceptionScope,
  type ExceptionSpec,
  GUARDRAILS,
} from '../../api/guardrails';

export const EXCEPTIONS: AskedKind<ExceptionSpec> = {
  path: EXCEPTIONS_PATH,
  page: '/exceptions',
  operations: {
    list: GUARDRAILS.listExceptions,
    get: 'getException',
    ask: GUARDRAILS.ask,
    approve: 'approveException',
    deny: 'denyException',
    revoke: 'revokeException',
    withdraw: 'withdrawException',
    trail: 'getExceptionTrail',
  },
  title: exceptionWords,
  managers: ['security', 'admin'],
};

/** Longer ones cannot be stored. */
export const DAYS_MOST = 30;

export const SCOPES = ['person', 'team', 'workload', 'key'] as const;

/** ada with the key ada-laptop */
export function whom({ person, team, workload, key }: ExceptionScope): string {
  const parts = [
    person,
    team && `the team ${team}`,
    workload && `the workload ${workload}`,
    key && `the key ${key}`,
  ];
  return parts.filter(Boolean).join(' with ');
}

/** A waiver of data-classes/restricted for ada */
export function exceptionWords({ rule, scope, renewals }: ExceptionSpec): string {
  return `${renewals > 0 ? 'Another waiver' : 'A waiver'} of ${rule} for ${whom(scope)}`;
}

/** Whether an architect has to have looked before it can be approved. */
export const needsReview = (spec: ExceptionSpec, repeats: string | null): boolean =>
  spec.state === 'pending' &&
  (repeats ?? spec.renews ?? null) !== null &&
  !spec.architecture_review;
