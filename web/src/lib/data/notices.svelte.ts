/** How many notifications are unread, for the bell; asked for while somebody looks. */

import { OPERATIONS, listNotices } from '../api/budgets';
import { session } from '../api/session.svelte';
import { refresher } from './refresher';

const EVERY_MS = 30_000;
/** The live feed may speak every few seconds; the bell need not follow each time. */
const SOONEST_MS = 10_000;

class Notices {
  /** Null until it is known. */
  unread = $state<number | null>(null);
  /** Raised when there may be something new in the inbox. */
  changes = $state(0);

  #asked = -Infinity;

  /** Keeps the number fresh until the returned function is called. */
  watch(): () => void {
    if (!session.can(OPERATIONS.notices)) return () => undefined;
    void this.refresh();
    const timer = setInterval(() => {
      if (document.visibilityState === 'visible') void this.refresh();
    }, EVERY_MS);
    const unregister = refresher.register(this);
    return () => {
      clearInterval(timer);
      unregister();
    };
  }

  async refresh(): Promise<void> {
    if (performance.now() - this.#asked < SOONEST_MS) return;
    this.#asked = performance.now();
    try {
      this.set((await listNotices({ unread: true, limit: 1 })).unread);
    } catch {
      // The bell shows what it knew; the page that is open says when the server is away.
    }
  }

  set(unread: number): void {
    if (this.unread !== null && unread !== this.unread) this.changes += 1;
    this.unread = unread;
  }
}

export const notices = new Notices();
