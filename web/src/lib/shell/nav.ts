/** The pages, in the order of the navigation. */

import { OPERATIONS } from '../api/budgets';
import { CATALOG } from '../api/catalog';
import { BILLS } from '../api/reconciliation';
import { BOOKS } from '../api/statements';
import { GUARDRAILS } from '../api/guardrails';
import { ROLLOUT } from '../api/rollout';
import { BOARDS } from '../api/scoreboards';
import { SHARING } from '../api/sharing';
import { session } from '../api/session.svelte';
import type { IconName } from '../ui/Icon.svelte';

export interface Place {
  path: string;
  label: string;
  icon: IconName;
  /** Pressed after `g`. */
  key: string;
  /** Whether the global filter bar belongs to it. */
  filters: boolean;
  /** Shown when one of these operations is allowed; always, without any. */
  needs?: string[];
  /** Reached another way, such as by the bell. */
  unlisted?: boolean;
  /** Whether there is anything on it for who is signed in, beyond what they may ask for. */
  matters?: () => boolean;
}

/** The books are for who keeps them, and for who answers for cost centers or teams. */
function hasBooks(): boolean {
  const { cost_centers: centers, sees } = session.me ?? {};
  return session.can(BOOKS.verify) || (centers?.length ?? 0) > 0 || sees?.kind === 'teams';
}

export const PLACES: Place[][] = [
  [
    { path: '/overview', label: 'Overview', icon: 'overview', key: 'o', filters: true },
    { path: '/explore', label: 'Explore', icon: 'explore', key: 'e', filters: true },
    { path: '/calls', label: 'Calls', icon: 'calls', key: 'c', filters: true },
  ],
  [
    {
      path: '/budgets',
      label: 'Budgets',
      icon: 'budgets',
      key: 'b',
      filters: false,
      needs: [OPERATIONS.listUse],
    },
    {
      path: '/quota',
      label: 'My quota',
      icon: 'quota',
      key: 'q',
      filters: false,
      needs: [OPERATIONS.mine],
    },
    {
      path: '/approvals',
      label: 'Approvals',
      icon: 'approvals',
      key: 'a',
      filters: false,
      needs: [OPERATIONS.listGrants],
    },
    {
      path: '/access',
      label: 'Access',
      icon: 'access',
      key: 'u',
      filters: false,
      needs: [CATALOG.listAccess],
    },
    {
      path: '/notifications',
      label: 'Notifications',
      icon: 'bell',
      key: 'n',
      filters: false,
      needs: [OPERATIONS.notices],
      unlisted: true,
    },
  ],
  [
    {
      path: '/cost-centers',
      label: 'Cost centers',
      icon: 'costcenters',
      key: 'y',
      filters: false,
      needs: [BOOKS.listCenters],
      matters: hasBooks,
    },
    {
      path: '/statements',
      label: 'Statements',
      icon: 'statements',
      key: 'f',
      filters: false,
      needs: [BOOKS.list],
      matters: hasBooks,
    },
    {
      path: '/rate-cards',
      label: 'Rate cards',
      icon: 'ratecards',
      key: 'z',
      filters: false,
      needs: [BOOKS.listCards],
      matters: hasBooks,
    },
    {
      path: '/reconciliation',
      label: 'Reconciliation',
      icon: 'compare',
      key: 'j',
      filters: false,
      needs: [BILLS.list],
    },
    {
      path: '/rollout',
      label: 'Rollout',
      icon: 'rollout',
      key: 'h',
      filters: false,
      needs: [ROLLOUT.list],
    },
  ],
  [
    { path: '/people', label: 'People', icon: 'people', key: 'p', filters: true },
    { path: '/teams', label: 'Teams', icon: 'teams', key: 't', filters: true },
    { path: '/models', label: 'Models', icon: 'models', key: 'm', filters: true },
    {
      path: '/catalog',
      label: 'Catalog',
      icon: 'catalog',
      key: 'w',
      filters: false,
      needs: [CATALOG.list],
    },
    {
      path: '/inventory',
      label: 'Inventory',
      icon: 'inventory',
      key: 'i',
      filters: false,
      needs: [CATALOG.inventory],
    },
  ],
  [
    {
      path: '/policies',
      label: 'Policies',
      icon: 'policies',
      key: 'r',
      filters: false,
      needs: [GUARDRAILS.listPolicies, GUARDRAILS.explain],
    },
    {
      path: '/violations',
      label: 'Violations',
      icon: 'violations',
      key: 'v',
      filters: false,
      needs: [GUARDRAILS.listViolations],
    },
    {
      path: '/exceptions',
      label: 'Exceptions',
      icon: 'exceptions',
      key: 'x',
      filters: false,
      needs: [GUARDRAILS.listExceptions],
    },
    {
      path: '/governance',
      label: 'Governance',
      icon: 'governance',
      key: 'g',
      filters: false,
      needs: [GUARDRAILS.agenda],
    },
    {
      path: '/readiness',
      label: 'Readiness',
      icon: 'readiness',
      key: 'd',
      filters: false,
      needs: [CATALOG.readiness],
    },
    {
      path: '/audit',
      label: 'Audit log',
      icon: 'audit',
      key: 'l',
      filters: false,
      needs: ['listAudit'],
    },
  ],
  // What people share, and the credit for it.
  [
    {
      path: '/scoreboards',
      label: 'Scoreboards',
      icon: 'scoreboards',
      key: '1',
      filters: false,
      needs: [BOARDS.list],
    },
    {
      path: '/templates',
      label: 'Templates',
      icon: 'templates',
      key: '2',
      filters: false,
      needs: [SHARING.search],
    },
    {
      path: '/stories',
      label: 'Stories',
      icon: 'stories',
      key: '3',
      filters: false,
      needs: [SHARING.wall],
    },
  ],
  [
    { path: '/keys', label: 'Keys', icon: 'keys', key: 'k', filters: false },
    { path: '/settings', label: 'Settings', icon: 'settings', key: 's', filters: false },
  ],
];

const OPEN = ['/sign-in', '/join', '/set-up'];

/** Pages for people who are not signed in yet. */
export function isOpen(path: string): boolean {
  return OPEN.some((open) => path === open || path.startsWith(`${open}/`));
}

/** Those for the roles of who is signed in. */
export function placesForMe(): Place[] {
  return PLACES.flat().filter(isForMe);
}

export function isForMe({ needs, matters }: Place): boolean {
  if (matters?.() === false) return false;
  return !needs || needs.some((operation) => session.can(operation));
}

export function placeOf(path: string): Place | undefined {
  return PLACES.flat().find((place) => path === place.path || path.startsWith(`${place.path}/`));
}

/** The filter bar belongs to lists and charts, not to the page of one call. */
export function hasFilters(path: string): boolean {
  return (placeOf(path)?.filters ?? false) && !path.startsWith('/calls/');
}
