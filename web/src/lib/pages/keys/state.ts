/** What a key can still do. */

import { fullTime } from '../../zone';
import type { KeySpec } from '../resources';

export interface KeyState {
  label: string;
  tone: 'neutral' | 'ok' | 'warn' | 'bad';
  title: string;
  /** Whether it opens anything. */
  works: boolean;
}

const SOON_MS = 7 * 24 * 3_600_000;

export function keyState(spec: KeySpec, now: Date = new Date(), zone = 'UTC'): KeyState {
  if (spec.revoked) {
    return { label: 'revoked', tone: 'neutral', title: 'It opens nothing any more', works: false };
  }
  if (spec.suspended) {
    return { label: 'suspended', tone: 'bad', title: spec.suspended.reason, works: false };
  }
  if (!spec.expires_at) {
    return { label: 'works', tone: 'ok', title: 'It does not expire', works: true };
  }
  const left = new Date(spec.expires_at).getTime() - now.getTime();
  const when = fullTime(spec.expires_at, zone);
  if (left <= 0) return { label: 'expired', tone: 'neutral', title: `Since ${when}`, works: false };
  if (left < SOON_MS) {
    return { label: 'expires soon', tone: 'warn', title: `On ${when}`, works: true };
  }
  return { label: 'works', tone: 'ok', title: `Until ${when}`, works: true };
}

/** Where a key is found among the others. */
export const keyHref = (name: string): string => `/keys?q=${encodeURIComponent(name)}`;

/** What a key is recognised by once its secret is gone. */
export function keyHint({ secret }: KeySpec): { text: string; title?: string } {
  if (!secret) return { text: '' };
  if ('env' in secret) {
    return {
      text: 'from a variable',
      title: `Its secret is in ${secret.env} of the running Tally`,
    };
  }
  return { text: `${secret.prefix}…`, title: 'How its secret begins' };
}
