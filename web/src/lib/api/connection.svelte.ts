/** Whether the server answers. One banner, one retry loop, for all requests of all pages. */

const WAITS_MS = [1_000, 2_000, 4_000, 8_000, 15_000];

class Connection {
  away = $state(false);
  /** Raised each time the server is back; what depends on it asks again. */
  recoveries = $state(0);

  #attempt = 0;
  #timer: ReturnType<typeof setTimeout> | undefined;

  /** A request could not reach the server. */
  lost(): void {
    this.away = true;
    if (this.#timer === undefined) this.#schedule();
  }

  /** A request was answered, whatever the answer. */
  answered(): void {
    if (!this.away) return;
    this.away = false;
    this.#attempt = 0;
    clearTimeout(this.#timer);
    this.#timer = undefined;
    this.recoveries += 1;
  }

  /** Asks at once, when a person does not want to wait. */
  async probe(): Promise<void> {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    try {
      const response = await fetch('/healthz', { cache: 'no-store' });
      if (response.status < 500) return this.answered();
    } catch {
      // Still away.
    }
    this.#schedule();
  }

  #schedule(): void {
    const wait = WAITS_MS[Math.min(this.#attempt, WAITS_MS.length - 1)];
    this.#attempt += 1;
    this.#timer = setTimeout(() => void this.probe(), wait);
  }
}

export const connection = new Connection();
