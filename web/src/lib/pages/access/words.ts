/** Access in plain words. */

import type { AskedKind } from '../../api/approvals';
import { ACCESS_PATH, type AccessAsk, type AccessSpec, CATALOG } from '../../api/catalog';
import { catalogHref } from '../catalog/words';

/** No access lasts longer; it can be renewed. */
export const DAYS_MOST = 180;

/** A key for support-copilot; the model claude-opus-4-8; the frontier tier */
export function whatWords(what: AccessAsk): string {
  if ('key' in what) {
    return what.key.workload ? `A key for ${what.key.workload}` : 'A key of their own';
  }
  return 'model' in what ? `The model ${what.model}` : `The ${what.tier} tier`;
}

export function accessWords({ what, renewals }: AccessSpec): string {
  return renewals > 0 ? `${whatWords(what)}, again` : whatWords(what);
}

/** Where more is known of what is asked for. */
export function whatHref(what: AccessAsk): string | null {
  if ('key' in what) return what.key.workload ? catalogHref(what.key.workload) : null;
  return 'model' in what ? `/models?tab=prices&q=${encodeURIComponent(what.model)}` : null;
}

export const ACCESS: AskedKind<AccessSpec> = {
  path: ACCESS_PATH,
  page: '/access',
  operations: {
    list: CATALOG.listAccess,
    get: 'getAccessRequest',
    ask: CATALOG.askForAccess,
    approve: 'approveAccessRequest',
    deny: 'denyAccessRequest',
    revoke: 'revokeAccessRequest',
    withdraw: 'withdrawAccessRequest',
    trail: 'getAccessRequestTrail',
  },
  title: accessWords,
  managers: ['finops', 'admin'],
};

/** What can be asked for, as the form and its addresses have it. */
export const KINDS = [
  { value: 'key', label: 'A key of my own' },
  { value: 'workload', label: 'A key for somebody else’s workload' },
  { value: 'model', label: 'A model' },
  { value: 'tier', label: 'A tier' },
] as const;
export type KindOfAccess = (typeof KINDS)[number]['value'];

export interface Wanted {
  kind: KindOfAccess;
  workload: string;
  model: string;
  tier: string;
}

export const NOTHING: Wanted = { kind: 'key', workload: '', model: '', tier: 'frontier' };

/** `?model=claude-opus-4-8`, `?workload=…`, `?tier=frontier` or `?key`. */
export function readWanted(parameters: URLSearchParams): Wanted {
  const kind = KINDS.find(({ value }) => parameters.has(value))?.value ?? 'key';
  const wanted = { ...NOTHING, kind };
  for (const name of ['workload', 'model', 'tier'] as const) {
    wanted[name] = parameters.get(name) || wanted[name];
  }
  return wanted;
}

export function wantedOf(what: AccessAsk): Wanted {
  if ('model' in what) return { ...NOTHING, kind: 'model', model: what.model };
  if ('tier' in what) return { ...NOTHING, kind: 'tier', tier: what.tier };
  const { workload } = what.key;
  return workload ? { ...NOTHING, kind: 'workload', workload } : NOTHING;
}

/** Null where it is not said which. */
export function askOf({ kind, workload, model, tier }: Wanted): AccessAsk | null {
  switch (kind) {
    case 'key':
      return { key: {} };
    case 'workload':
      return workload ? { key: { workload } } : null;
    case 'model':
      return model ? { model } : null;
    case 'tier':
      return { tier } as AccessAsk;
  }
}
