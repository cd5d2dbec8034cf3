/** Something of the server that a page shows, asked for again when what it depends on changes. */

import { untrack } from 'svelte';
import { connection } from '../api/connection.svelte';
import { type Problem, asProblem } from '../api/problem';

export class Loaded<T> {
  /** The last answer, also while a newer one is on its way. */
  value = $state.raw<T | null>(null);
  problem = $state.raw<Problem | null>(null);
  loading = $state(true);
  #again = $state(0);

  /**
   * To be made while a component is set up. What `ask` reads before its first `await` is what
   * it depends on; with `null` there is nothing to ask for.
   */
  constructor(ask: (signal: AbortSignal) => Promise<T> | null) {
    $effect(() => {
      void this.#again;
      void connection.recoveries;
      const controller = new AbortController();
      const asked = ask(controller.signal);
      untrack(() => void this.#take(asked, controller.signal));
      return () => controller.abort();
    });
  }

  reload = (): void => {
    this.#again += 1;
  };

  async #take(asked: Promise<T> | null, signal: AbortSignal): Promise<void> {
    this.loading = asked !== null;
    if (!asked) {
      this.value = null;
      return;
    }
    try {
      const value = await asked;
      if (signal.aborted) return;
      this.value = value;
      this.problem = null;
    } catch (error) {
      if (signal.aborted) return;
      this.problem = asProblem(error);
    }
    this.loading = false;
  }
}
