/** Where to go after signing in: a path of this origin, or the overview. */
export function safeNext(next: string | null, origin: string): string {
  const fallback = '/overview';
  if (!next || !next.startsWith('/')) return fallback;
  try {
    // The browser's own parser decides: `//host`, `/\host` and the like are other origins to it.
    const url = new URL(next, origin);
    const path = url.pathname + url.search + url.hash;
    const leadsBack = /^\/(sign-in|set-up|join)(\/|$)/.test(url.pathname);
    const staysHere = url.origin === origin && !path.startsWith('//');
    return staysHere && !leadsBack ? path : fallback;
  } catch {
    return fallback;
  }
}

/** The one-time token of a link such as `/join#token=…`. */
export function tokenOf(fragment: string): string | null {
  return new URLSearchParams(fragment.replace(/^#/, '')).get('token') || null;
}
