/** Who is signed in and what they may do. */

import { goto } from '$app/navigation';
import { api, setCsrfToken, typed } from './client';
import { Problem, asProblem } from './problem';
import type { Me } from './types';

class Session {
  me = $state.raw<Me | null>(null);
  problem = $state.raw<Problem | null>(null);
  loaded = $derived(this.me !== null);

  /** The zone all dates are shown in. */
  get zone(): string {
    return this.me?.organization.time_zone ?? 'UTC';
  }

  /** Whether to show the control that uses this operation. */
  can(operation: string): boolean {
    return this.me?.operations.includes(operation) ?? false;
  }

  set(me: Me | null): void {
    this.me = me;
    this.problem = null;
    setCsrfToken(me?.csrf_token ?? null);
  }

  async load(): Promise<void> {
    try {
      const { data } = await typed.GET('/api/v1/me');
      this.set(data ?? null);
    } catch (error) {
      this.problem = asProblem(error);
    }
  }

  /** Ends this session, or all of mine, and goes to the sign-in page. */
  async signOut(everywhere = false): Promise<void> {
    await api.post(everywhere ? '/api/v1/sign-out-everywhere' : '/api/v1/sign-out');
    this.set(null);
    await goto('/sign-in');
  }
}

export const session = new Session();

/** Shorthand for `session.can`. */
export const can = (operation: string): boolean => session.can(operation);
