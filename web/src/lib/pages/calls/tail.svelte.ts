/** Calls as they settle: a bounded list that holds still while somebody reads it. */

import type { LiveBatch, UsageEvent } from '../../api/types';

/** What the list shows at most, and what waits at most. */
export const ROWS_MAX = 500;

export class Tail {
  rows = $state.raw<UsageEvent[]>([]);
  /** Arrived while the list held still. */
  waiting = $state(0);
  /** Settled, but too many at once to be sent. */
  omitted = $state(0);

  #held = false;
  #pending: UsageEvent[] = [];
  #seen = new Set<string>();

  take(batch: LiveBatch): void {
    const fresh = batch.items.filter((event) => !this.#seen.has(event.event_id));
    for (const event of fresh) this.#seen.add(event.event_id);
    this.omitted += batch.omitted;
    const newestFirst = fresh.toSorted((a, b) => b.time.localeCompare(a.time));
    this.#pending = [...newestFirst, ...this.#pending].slice(0, ROWS_MAX);
    this.waiting = this.#pending.length;
    if (!this.#held) this.show();
  }

  /** While held, what arrives waits. */
  hold(held: boolean): void {
    this.#held = held;
    if (!held) this.show();
  }

  /** Shows what waits. */
  show(): void {
    if (this.#pending.length === 0) return;
    this.rows = [...this.#pending, ...this.rows].slice(0, ROWS_MAX);
    this.#seen = new Set(this.rows.map((event) => event.event_id));
    this.#pending = [];
    this.waiting = 0;
  }
}
