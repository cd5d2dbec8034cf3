/** Data a page shows: asked for when what it depends on changes, kept while it is asked again. */

import { untrack } from 'svelte';
import { connection } from '../api/connection.svelte';
import { type Problem, asProblem } from '../api/problem';
import { ask } from '../api/query';
import type { Query, QueryResult } from '../api/types';
import { refresher } from './refresher';

export class Loaded<Key, Data> {
  data = $state.raw<Data | null>(null);
  problem = $state.raw<Problem | null>(null);
  loading = $state(true);
  /** When `data` was answered. */
  at = $state.raw<Date | null>(null);

  #load: (key: Key, signal: AbortSignal) => Promise<Data>;
  #text: string | null = null;
  #abort: AbortController | null = null;
  #running: Promise<void> | null = null;
  #again: boolean;
  #retry: ReturnType<typeof setTimeout> | undefined;

  /**
   * Call it while a component is being set up. `make` says what to ask for, null for
   * nothing; with `live` it is asked again when live calls came, with `again` when the
   * server says that the answer is not ready yet.
   */
  constructor(
    make: () => Key | null,
    load: (key: Key, signal: AbortSignal) => Promise<Data>,
    options: { live?: boolean; again?: boolean } = {},
  ) {
    this.#load = load;
    this.#again = options.again ?? false;
    const text = $derived.by(() => {
      const key = make();
      return key === null ? null : JSON.stringify(key);
    });
    $effect(() => {
      const now = text;
      untrack(() => this.#start(now));
    });
    $effect(() => {
      if (connection.recoveries > 0) untrack(() => void this.refresh());
    });
    if (options.live) $effect(() => refresher.register(this));
    $effect(() => () => {
      clearTimeout(this.#retry);
      this.#abort?.abort();
    });
  }

  /** Asks the same again; while an answer is on its way, waits for that one. */
  refresh(): Promise<void> {
    return this.#running ?? this.#run();
  }

  #start(text: string | null): void {
    clearTimeout(this.#retry);
    this.#abort?.abort();
    this.#running = null;
    this.#text = text;
    if (text === null) {
      this.data = null;
      this.loading = false;
      return;
    }
    this.loading = true;
    void this.#run();
  }

  #run(): Promise<void> {
    if (this.#text === null) return Promise.resolve();
    const abort = new AbortController();
    this.#abort = abort;
    const running = this.#answer(JSON.parse(this.#text) as Key, abort).finally(() => {
      if (this.#running === running) this.#running = null;
    });
    this.#running = running;
    return running;
  }

  async #answer(key: Key, abort: AbortController): Promise<void> {
    try {
      const data = await this.#load(key, abort.signal);
      if (abort.signal.aborted) return;
      this.data = data;
      this.problem = null;
      this.at = new Date();
    } catch (error) {
      if (abort.signal.aborted) return;
      const problem = asProblem(error);
      this.problem = problem;
      if (this.#again && problem?.status === 503 && problem.retryAfter !== null) {
        clearTimeout(this.#retry);
        this.#retry = setTimeout(() => void this.refresh(), problem.retryAfter * 1_000);
      }
    }
    this.loading = false;
  }
}

/** A question to the metrics layer that stays answered. */
export function question(
  make: () => Query | null,
  options: { live?: boolean } = { live: true },
): Loaded<Query, QueryResult> {
  return new Loaded(make, ask, options);
}
