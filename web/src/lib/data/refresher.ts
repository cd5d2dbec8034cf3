/** When questions are asked again: soon after live calls came, else every minute. */

import { connection } from '../api/connection.svelte';

interface Refreshed {
  refresh(): Promise<void>;
}

const TICK_MS = 1_000;
const SOONEST_MS = 5_000;
const LATEST_MS = 60_000;

class Refresher {
  #all = new Set<Refreshed>();
  #dirty = false;
  #running = false;
  #finished = 0;
  #timer: ReturnType<typeof setInterval> | undefined;

  /** Keeps something fresh until the returned function is called. */
  register(one: Refreshed): () => void {
    this.#all.add(one);
    if (this.#timer === undefined) {
      this.#finished = performance.now();
      this.#timer = setInterval(() => void this.#tick(), TICK_MS);
    }
    return () => {
      this.#all.delete(one);
      if (this.#all.size > 0) return;
      clearInterval(this.#timer);
      this.#timer = undefined;
    };
  }

  /** There is something new. */
  mark(): void {
    this.#dirty = true;
  }

  async #tick(): Promise<void> {
    // Nobody looks at a hidden page, and a server that is away has no answers.
    if (this.#running || document.visibilityState !== 'visible' || connection.away) return;
    const waited = performance.now() - this.#finished;
    if (waited < (this.#dirty ? SOONEST_MS : LATEST_MS)) return;
    this.#running = true;
    this.#dirty = false;
    await Promise.allSettled([...this.#all].map((one) => one.refresh()));
    this.#running = false;
    this.#finished = performance.now();
  }
}

export const refresher = new Refresher();
