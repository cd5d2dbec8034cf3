/** Follows the standings: one stream of server-sent events while a page of them is open. */

import type { StandingsChanged } from '../../api/scoreboards';

const AGAIN_MS = 5_000;

export class Following {
  /** What was told last. */
  last = $state.raw<StandingsChanged | null>(null);
  live = $state(false);

  /** Listens; closes with the returned function. Hidden pages do not listen. */
  open(onchange: () => void): () => void {
    let source: EventSource | null = null;
    let retry: ReturnType<typeof setTimeout> | undefined;
    const close = () => {
      clearTimeout(retry);
      source?.close();
      source = null;
      this.live = false;
    };
    const again = () => {
      close();
      retry = setTimeout(connect, AGAIN_MS);
    };
    const connect = () => {
      close();
      source = new EventSource('/api/v1/scoreboards/live');
      source.onopen = () => (this.live = true);
      source.addEventListener('standings', (event: MessageEvent<string>) => {
        this.last = JSON.parse(event.data) as StandingsChanged;
        onchange();
      });
      source.addEventListener('end', again);
      source.onerror = again;
    };
    const onvisible = () => (document.visibilityState === 'visible' ? connect() : close());
    document.addEventListener('visibilitychange', onvisible);
    onvisible();
    return () => {
      document.removeEventListener('visibilitychange', onvisible);
      close();
    };
  }
}
