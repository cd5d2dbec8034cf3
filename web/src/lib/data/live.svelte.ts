/** Calls as they arrive: one stream of server-sent events for the page that is open. */

import { api, send } from '../api/client';
import { asProblem } from '../api/problem';
import type { Filter, LiveBatch } from '../api/types';
import { numberOf } from '../format';
import { refresher } from './refresher';

export type LiveState = 'connecting' | 'live' | 'reconnecting' | 'paused' | 'off';

const WINDOW_MS = 15_000;
const WAITS_MS = [1_000, 2_000, 5_000, 10_000, 30_000];

type Listener = (batch: LiveBatch) => void;

export class LiveFeed {
  state = $state<LiveState>('off');
  /** Per second and per minute, over the last quarter of a minute. */
  rates = $state.raw({ calls: 0, tokens: 0, spendPerMinute: 0, failed: 0 });

  #filters = '[]';
  #source: EventSource | null = null;
  #listeners = new Set<Listener>();
  #recent: { at: number; batch: LiveBatch }[] = [];
  #attempt = 0;
  #opened = 0;
  /** Raised with every close: whoever waited for an answer knows that it is too late. */
  #turn = 0;
  #retry: ReturnType<typeof setTimeout> | undefined;

  /** Listens until the returned function is called. */
  on(listener: Listener): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** Opens the stream of the calls that match; closes it with the returned function. */
  open(filters: Filter[]): () => void {
    this.#filters = JSON.stringify(filters);
    this.#recent = [];
    const decay = setInterval(() => this.#measure(), 1_000);
    const onvisible = () =>
      document.visibilityState === 'visible' ? this.#connect() : this.#pause();
    document.addEventListener('visibilitychange', onvisible);
    onvisible();
    return () => {
      document.removeEventListener('visibilitychange', onvisible);
      clearInterval(decay);
      this.#close();
      this.state = 'off';
    };
  }

  #connect(): void {
    this.#close();
    this.state = this.#attempt === 0 ? 'connecting' : 'reconnecting';
    const path = `/api/v1/live?filters=${encodeURIComponent(this.#filters)}`;
    const source = new EventSource(path);
    this.#source = source;
    source.onopen = () => {
      this.state = 'live';
      this.#attempt = 0;
      this.#opened = performance.now();
    };
    source.addEventListener('calls', (event) => this.#receive(event));
    source.addEventListener('lagged', () => refresher.mark());
    source.addEventListener('end', () => this.#again());
    // An answer that is no stream closes it; its status is for nobody to see.
    source.onerror = () =>
      source.readyState === EventSource.CLOSED ? void this.#askWhy(path) : this.#again();
  }

  /** What is not shown to this reader is not asked for again. */
  async #askWhy(path: string): Promise<void> {
    this.#close();
    const turn = this.#turn;
    const stop = new AbortController();
    const status = await send('GET', path, undefined, { signal: stop.signal }).then(
      () => 200,
      (error: unknown) => asProblem(error)?.status,
    );
    stop.abort();
    if (turn !== this.#turn) return;
    if (status === 403) this.state = 'off';
    else this.#again();
  }

  #receive(event: MessageEvent<string>): void {
    const batch = JSON.parse(event.data) as LiveBatch;
    this.#recent.push({ at: performance.now(), batch });
    this.#measure();
    refresher.mark();
    for (const listener of this.#listeners) listener(batch);
  }

  /** Tries later; a session that has ended shows itself in the answer of `me`. */
  #again(): void {
    this.#close();
    this.state = 'reconnecting';
    const turn = this.#turn;
    const wait = WAITS_MS[Math.min(this.#attempt, WAITS_MS.length - 1)];
    this.#attempt += 1;
    this.#retry = setTimeout(() => {
      api.get('/api/v1/me').then(
        () => turn === this.#turn && this.#connect(),
        () => turn === this.#turn && this.#again(),
      );
    }, wait);
  }

  #pause(): void {
    this.#close();
    this.state = 'paused';
  }

  #close(): void {
    this.#turn += 1;
    clearTimeout(this.#retry);
    this.#source?.close();
    this.#source = null;
  }

  #measure(): void {
    const now = performance.now();
    this.#recent = this.#recent.filter(({ at }) => now - at < WINDOW_MS);
    const seconds = Math.min(WINDOW_MS, Math.max(3_000, now - this.#opened)) / 1_000;
    const sum = (of: (batch: LiveBatch) => number) =>
      this.#recent.reduce((total, { batch }) => total + of(batch), 0) / seconds;
    this.rates = {
      calls: sum((batch) => batch.calls),
      failed: sum((batch) => batch.failed),
      tokens: sum((batch) => batch.tokens),
      spendPerMinute: sum((batch) => numberOf(batch.spend_usd) ?? 0) * 60,
    };
  }
}
